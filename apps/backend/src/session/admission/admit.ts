import type { EventData } from '@berth/contract'
import type { Capacity } from './capacity.ts'
import { fairOrder, type Holder, type Queued } from './fair-order.ts'
import { type Amounts, type Quota, ResourceQuotas } from './resource-quotas.ts'

/** A session with a runner, or with a place that is kept for its next one. */
export interface Occupant extends Holder {
  /** What its agent uses; undefined: not measured yet. */
  memoryBytes: number | undefined
  /** What it was started with, which counts against its project's quotas. */
  wanted: Amounts
}

/** A session that waits for room. */
export interface Applicant extends Queued {
  /** What would count against its project's quotas. */
  wanted: Amounts
}

export interface Room extends Capacity {
  /** Live sessions that projects allow themselves; a project that is missing has no limit of its own. */
  projects: ReadonlyMap<string, number>
  /** What the live sessions of projects may have together; a project that is missing has no quotas. */
  quotas: ReadonlyMap<string, Quota>
}

export type Waiting = Applicant & Pick<EventData<'session.waits'>, 'reason' | 'position'>

export interface Verdict {
  /** In the order in which they get room. */
  admitted: Applicant[]
  /** In the order in which they would. */
  waiting: Waiting[]
  /** What is taken before anybody is admitted. */
  used: {
    sessions: number
    memoryBytes: number
    projects: ReadonlyMap<string, number>
    quotas: ReadonlyMap<string, Amounts>
  }
}

/**
 * Who gets a runner now, and what the others wait for. Pure. Nobody is admitted over a limit; a project at its own limit
 * does not hold others up; and when nothing lives, the first one is admitted however little memory there is. In a project
 * whose quotas are nearly used, small sessions don't overtake a large one for ever: they wait behind it, unless it wants more
 * than the whole quota: then it waits behind all, because it would hold them up for ever.
 */
export const admit = (live: readonly Occupant[], waiting: readonly Applicant[], room: Room): Verdict => {
  const projects = new Map<string, number>()
  for (const { project } of live) projects.set(project, (projects.get(project) ?? 0) + 1)
  const quotas = new ResourceQuotas(live, room.quotas)
  const used = {
    ...{ sessions: live.length, memoryBytes: memoryOf(live, room) },
    ...{ projects: new Map(projects), quotas: new Map(quotas.used) },
  }
  const taken = { sessions: used.sessions, memoryBytes: used.memoryBytes }
  const verdict: Verdict = { admitted: [], waiting: [], used }
  const wait = (applicant: Applicant, reason: Waiting['reason']) =>
    void verdict.waiting.push({ ...applicant, reason, position: verdict.waiting.length + 1 })
  const never = new Map<Applicant, Waiting['reason']>()
  for (const applicant of waiting) {
    const reason = quotas.neverFits(applicant)
    if (reason !== undefined) never.set(applicant, reason)
  }
  const possible = waiting.filter((applicant) => !never.has(applicant))
  for (const applicant of fairOrder(live, possible)) {
    const inProject = projects.get(applicant.project) ?? 0
    const isFull = inProject >= (room.projects.get(applicant.project) ?? Infinity)
    const own = isFull ? 'project-sessions' : quotas.lacks(applicant)
    const reason = own ?? lacking(taken, room)
    if (reason !== undefined) {
      wait(applicant, reason)
      continue
    }
    verdict.admitted.push(applicant)
    projects.set(applicant.project, inProject + 1)
    quotas.take(applicant)
    taken.sessions += 1
    taken.memoryBytes += room.reservedBytes
  }
  for (const [applicant, reason] of never) wait(applicant, reason)
  return verdict
}

const memoryOf = (live: readonly Occupant[], { reservedBytes }: Room): number =>
  live.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? reservedBytes), 0)

const lacking = (
  taken: { sessions: number; memoryBytes: number },
  room: Room,
): Waiting['reason'] | undefined => {
  if (taken.sessions >= room.sessions) return 'sessions'
  const fits = taken.memoryBytes + room.reservedBytes <= room.memoryBytes
  return fits || taken.sessions === 0 ? undefined : 'memory'
}
