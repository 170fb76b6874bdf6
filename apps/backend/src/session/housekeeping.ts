import { idPrefixes, idTime, limits } from '@berth/contract'
import type { Clock, Runtime } from '@berth/runtime'
import type { Logger } from 'pino'
import type { BlobStore } from '../blobs/port.ts'
import { every } from '../every.ts'
import type { Store } from '../store/port.ts'
import { isBaseScope } from './base-scope.ts'
import type { Leases } from './lease.ts'

export interface HousekeepingOptions {
  store: Store
  blobs: BlobStore
  runtime: Runtime
  /** A session may need a step of the reconciler. */
  wake: (session: string) => void
  /** One backend at a time does it. */
  leases: Pick<Leases, 'keep'>
  clock: Clock
  log: Logger
}

/** For so long nobody does it after the backend that did was killed. */
const leaseMs = 30_000
const compactMs = 5000
const sweepMs = 60_000
/** Whose blobs are still there is asked less often: nothing is removed before it is an hour old, and S3 charges for each list. */
const orphansMs = 10 * 60_000
const compactBatch = 2000
/** Tombstones of the session lists are kept this long; an older cursor gets `reset`. */
const tombstoneMs = 7 * 24 * 3600_000

/** Regular work: compaction, expiry, and the sweep of what belongs to no session. */
export const startHousekeeping = (options: HousekeepingOptions): { close: () => Promise<void> } => {
  const { leases, log, clock } = options
  let isClosed = false
  const regularly = (ms: number, task: () => Promise<void>) =>
    every({ clock, ms }, () =>
      leases
        .keep('housekeeping', leaseMs)
        .then((mine) => (mine ? task() : undefined))
        .catch((error) => log.warn({ err: error }, 'Housekeeping failed and is tried again')),
    )
  const tasks = [
    regularly(compactMs, () => compact(options, () => isClosed)),
    regularly(sweepMs, () => sweepRunners(options)),
    regularly(sweepMs, () => sweepProjects(options)),
    regularly(orphansMs, () => sweepBlobs(options)),
    regularly(sweepMs, () => dropBases(options)),
    regularly(sweepMs, () => options.store.expire({ now: clock.now(), before: clock.now() - tombstoneMs })),
  ]
  return {
    close: async () => {
      isClosed = true
      await Promise.all(tasks.map((stop) => stop()))
    },
  }
}

const compact = async ({ store, clock }: HousekeepingOptions, isClosed: () => boolean): Promise<void> => {
  const query = { now: clock.now(), limit: compactBatch }
  while (!isClosed() && (await store.compact(query)) === compactBatch);
}

/**
 * How long blobs are left alone, by the prefix of what they lie with. A session that is being created has blobs before it
 * has a row; an operation is over in minutes, and whoever waited for its bytes removes them first, unless it was killed.
 */
const keptFor: Record<string, number> = {
  [idPrefixes.session]: 3600_000,
  [idPrefixes.operation]: 3600_000,
  [idPrefixes.upload]: (limits.uploadHours + 1) * 3600_000,
}

/**
 * Removes runners whose session is gone for good, and says so. One that outlived the backend which was about to stop it is
 * stopped by the next step of its session.
 */
const sweepRunners = async ({ store, runtime, wake, log }: HousekeepingOptions): Promise<void> => {
  const runners = await runtime.list()
  const known = await store.existing(runners.map(({ session }) => session))
  const live = new Set((await store.occupancy()).live.map(({ session }) => session))
  for (const { session, state } of runners)
    if (!known.has(session)) {
      log.warn({ session }, 'A runner belongs to no session and is removed')
      await runtime.remove(session)
    } else if (state === 'running' && !live.has(session)) wake(session)
}

/** Removes what the runtime keeps for projects that are gone. One that is being deleted goes by its own steps: its runners come first. */
const sweepProjects = async ({ store, runtime, log }: HousekeepingOptions): Promise<void> => {
  for (const project of await runtime.projects()) {
    if ((await store.projectState(project)) !== undefined) continue
    log.info({ project }, 'What the runtime keeps for a deleted project is removed')
    await runtime.removeProject(project)
  }
}

/**
 * Removes blobs that belong to nothing: those of sessions that are gone for good, of operations and uploads that a kill cut
 * short, and of base packs that a crash or the end of a project left over. Several backends may do it at the same time.
 */
const sweepBlobs = async (options: HousekeepingOptions): Promise<void> => {
  const { store, blobs, clock } = options
  const bases: string[] = []
  let sessions: string[] = []
  for await (const scope of blobs.scopes()) {
    if (isBaseScope(scope)) bases.push(scope)
    const keptMs = keptFor[scope.slice(0, 3)]
    if (keptMs === undefined || clock.now() - idTime(scope) < keptMs) continue
    if (scope.startsWith(`${idPrefixes.session}_`)) sessions.push(scope)
    else await blobs.removeAll(scope)
    if (sessions.length < 500) continue
    await removeOrphans(options, sessions)
    sessions = []
  }
  await removeOrphans(options, sessions)
  // A base is in the store before it has parts, so what isn't there is nobody's.
  const known = await store.existingBases(bases)
  for (const scope of bases) if (!known.has(scope)) await blobs.removeAll(scope)
}

const removeOrphans = async (
  { store, blobs, log }: HousekeepingOptions,
  sessions: string[],
): Promise<void> => {
  const existing = await store.existing(sessions)
  for (const session of sessions)
    if (!existing.has(session)) {
      log.warn({ session }, 'Blobs belong to no session and are removed')
      await blobs.removeAll(session)
    }
}

/** A base pack is kept this long after the last session that needed it: the next one often starts from there too. */
const idleBaseMs = 24 * 3600_000

/** Removes base packs that no session needs. */
const dropBases = async ({ store, blobs, clock, log }: HousekeepingOptions): Promise<void> => {
  const now = clock.now()
  for (const scope of await store.dropBases({ now, before: now - idleBaseMs })) {
    log.info({ scope }, 'A base pack is needed no more and is removed')
    await blobs.removeAll(scope)
  }
}
