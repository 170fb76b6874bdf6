import { type DeletionStep, deletionSteps, isBerthError } from '@berth/contract'
import type { Runtime } from '@berth/runtime'
import type { BlobStore } from '../blobs/port.ts'
import type { Lease } from '../session/lease.ts'
import type { SessionService } from '../session/service.ts'
import type { DeletionRow } from '../store/lifecycle-store.ts'
import type { Store } from '../store/port.ts'

export interface DeletionParts {
  store: Store
  blobs: Pick<BlobStore, 'removeAll'>
  runtime: Pick<Runtime, 'removeProject'>
  service: Pick<SessionService, 'run' | 'wake'>
  now: () => number
}

/** Sessions and base packs that are looked at together. */
const batch = 200

type StepOf = (parts: DeletionParts, work: { row: DeletionRow; lease: Lease }) => Promise<boolean>

/**
 * What each step does; false: it isn't done yet, look again later. Each can be done again from its beginning, and does nothing
 * where there is nothing left.
 */
const steps: Record<DeletionStep, StepOf> = {
  // Each session is stopped and purged by its own steps, which know how.
  sessions: async (parts, { row }) => {
    const { store } = parts
    for (let after = ''; ; ) {
      const sessions = await store.sessionsOf(row.project, { after, limit: batch })
      await Promise.all(sessions.map((session) => doom(parts, { session, row })))
      const last = sessions.at(-1)
      if (sessions.length < batch || last === undefined) break
      after = last
    }
    return (await store.countSessions(row.project)) === 0
  },
  runtime: async ({ runtime }, { row, lease }) => {
    lease.check()
    await runtime.removeProject(row.project)
    return true
  },
  bases: async ({ store, blobs }, { row, lease }) => {
    for (;;) {
      const scopes = await store.basesOf(row.project, batch)
      if (scopes.length === 0) return true
      for (const scope of scopes) {
        lease.check()
        // The row goes last: as long as it is there, the parts are found.
        await blobs.removeAll(scope)
        await store.removeBase(scope)
      }
    }
  },
  rest: async ({ store }, { row, lease }) => {
    lease.check()
    await store.finishDeletion(row.project)
    return true
  },
}

/** The session is purged as soon as its runner has ended. */
const doom = async (
  { service, now }: DeletionParts,
  { session, row }: { session: string; row: DeletionRow },
): Promise<void> => {
  const purgeAt = new Date(now()).toISOString()
  const command = { kind: 'delete', actor: row.by, purgeAt, sooner: true } as const
  try {
    await service.run({ session, command })
    service.wake(session)
  } catch (error) {
    // It is gone already.
    if (!isBerthError(error) || error.code !== 'session_not_found') throw error
  }
}

/**
 * Goes on with the deletion of a project, from the step at which it stands. True: the project is gone. Whatever cuts it short, the
 * next call finishes it.
 */
export const deleteProject = async (
  parts: DeletionParts,
  { project, lease }: { project: string; lease: Lease },
): Promise<boolean> => {
  const row = await parts.store.deletion(project)
  if (row === undefined) return true
  for (const step of deletionSteps.slice(deletionSteps.indexOf(row.step))) {
    if (step !== row.step) await parts.store.setDeletionStep(project, step)
    if (!(await steps[step](parts, { row, lease }))) return false
  }
  return true
}
