import type { Clock, TimerHandle } from '@berth/runtime'
import type { Logger } from 'pino'
import type { Store } from '../store/port.ts'
import type { Tail } from './tail.ts'

export interface RecheckOptions {
  store: Pick<Store, 'heads'>
  /** Tails of logs, by session id, and of lists, by project name. */
  events: Tail
  changes: Tail
  /** Told when what somebody reads is there no more. */
  gone: (key: string, code: 'session_not_found' | 'project_not_found') => void
  clock: Clock
  log: Logger
}

/** So late at most a reader sees what another backend appended and did not get around to tell. */
const recheckMs = 1000

/** Asks regularly how far what somebody reads has come, because notices between backends may be lost. */
export const startRecheck = ({
  store,
  events,
  changes,
  gone,
  clock,
  log,
}: RecheckOptions): { close: () => Promise<void> } => {
  let timer: TimerHandle | undefined
  let closed = false
  let looking: Promise<void> = Promise.resolve()
  const look = async () => {
    const watched = { sessions: events.keys(), projects: changes.keys() }
    if (watched.sessions.length + watched.projects.length === 0) return
    const heads = await store.heads(watched)
    for (const [session, seq] of heads.sessions) events.notice(session, seq)
    for (const [project, revision] of heads.projects) changes.notice(project, revision)
    for (const session of watched.sessions)
      if (!heads.sessions.has(session)) gone(session, 'session_not_found')
    for (const project of watched.projects)
      if (!heads.projects.has(project)) gone(project, 'project_not_found')
  }
  const later = () => {
    if (closed) return
    timer = clock.setTimeout(() => {
      looking = look()
        .catch((error) => log.warn({ err: error }, 'The logs that are read could not be looked after'))
        .finally(later)
    }, recheckMs)
  }
  later()
  return {
    close: async () => {
      closed = true
      if (timer !== undefined) clock.clearTimeout(timer)
      await looking
    },
  }
}
