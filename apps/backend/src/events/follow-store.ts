import type { Deps } from '../http/deps.ts'
import { changeJson, resetLine } from '../http/events.ts'
import type { ChangeLine, Notice, Store } from '../store/port.ts'
import { Tail } from './tail.ts'

/** Bytes of a read from the store for a stream. */
const readBytes = 256 * 1024

/** Logs and lists of a store, as readers follow them. */
export const tails = (store: Store) => ({
  events: new Tail({
    read: async (session, after) => {
      const lines = await store.events(session, { after, limit: 1000, maxBytes: readBytes })
      return lines.map(({ seq, json }) => ({ position: seq, json }))
    },
  }),
  changes: new Tail({
    read: async (project, after) => {
      const { items, reset } = await store.changes(project, { after, limit: 200 })
      if (!reset) return items.map(tailLine)
      const revision = await store.revision(project)
      return [{ position: revision, json: resetLine(revision) }]
    },
    maxBytes: 8 * 1024 * 1024,
  }),
})

/** Passes what was appended on to the readers. */
export const watchStore = ({ store, events, changes, streams, metrics }: Deps): (() => void) =>
  store.watch(({ session, project, seq, lines, hidden, change }) => {
    metrics.appended(lines?.length ?? 0)
    events.notice(
      session,
      seq,
      lines?.map(({ seq: position, json }) => ({ position, json })),
    )
    if (change === undefined) return
    if (hidden !== undefined) changes.notice(project, hidden.revision, changeLines(hidden))
    changes.notice(project, change.revision, changeLines(change))
    if ('removed' in change) goneOf({ streams })(session, 'session_not_found')
  })

/** Ends the streams of what is no more. */
export const goneOf =
  ({ streams }: Pick<Deps, 'streams'>) =>
  (key: string, code: 'session_not_found' | 'project_not_found') => {
    const detail = `The ${code === 'session_not_found' ? 'session' : 'project'} was deleted for good.`
    streams.end(key, { code, detail })
  }

const changeLines = (change: NonNullable<Notice['change']>) =>
  'summary' in change || 'removed' in change ? [tailLine(change)] : undefined

const tailLine = (line: ChangeLine) => ({
  position: line.revision,
  json: changeJson(line),
  audience: line.audience,
})
