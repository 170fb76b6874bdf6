import type { RuntimeStep } from '@berth/runtime'
import type { PodFacts } from './facts.ts'
import { type Trouble, troubleOf } from './trouble.ts'

/** When this process saw what, by its own clock: the API server tells whole seconds of another one. */
export interface Marks {
  /** It was asked for, or found. */
  since: number
  /** Found as it was already; how long it took is not known. */
  adopted: boolean
  /** It has a node. */
  scheduledAt?: number
  /** The agent's container has started: its image, which may be a team's, is there. */
  startedAt?: number
  /** The runner runs, or has run. */
  beganAt?: number
  /** What holds it up, and since when; the same kind of trouble counts as one. */
  trouble?: Trouble & { since: number }
}

/** The marks after one more look. Pure; the same marks back means that nothing happened. */
export const advance = (before: Marks, seen: { pod?: PodFacts; podless?: Trouble }, now: number): Marks => {
  const { pod, podless } = seen
  const found = pod === undefined ? podless : troubleOf(pod)
  const reached = {
    scheduledAt: pod?.scheduled === true,
    startedAt: pod !== undefined && ['agent', 'runner'].some((name) => hasStarted(pod, name)),
    beganAt: pod !== undefined && hasStarted(pod, 'runner'),
  }
  const trouble =
    found === undefined
      ? undefined
      : { ...found, since: before.trouble?.kind === found.kind ? before.trouble.since : now }
  const after: Marks = { ...before, trouble }
  for (const key of ['scheduledAt', 'startedAt', 'beganAt'] as const) if (reached[key]) after[key] ??= now
  const isSame =
    after.trouble?.message === before.trouble?.message &&
    after.trouble?.kind === before.trouble?.kind &&
    after.scheduledAt === before.scheduledAt &&
    after.startedAt === before.startedAt &&
    after.beganAt === before.beganAt
  return isSame ? before : after
}

const hasStarted = (pod: PodFacts, name: string): boolean => {
  const state = pod.containers[name]?.state
  return state === 'running' || state === 'terminated'
}

const stepMessage = 1000

/** How far the start is, as the port tells it. */
export const stepsOf = (marks: Marks): RuntimeStep[] => {
  const { since, scheduledAt, startedAt, beganAt, trouble } = marks
  const rows = [
    { step: 'schedule', from: since, to: scheduledAt, trouble: 'schedule' },
    { step: 'image', from: scheduledAt, to: startedAt, trouble: 'image' },
    { step: 'containers', from: startedAt, to: beganAt, trouble: 'create' },
  ] as const
  return rows.flatMap(({ step, from, to, trouble: kind }): RuntimeStep[] => {
    if (from === undefined) return []
    if (to !== undefined)
      return [{ step, state: 'done', ...(marks.adopted ? {} : { ms: Math.max(0, Math.round(to - from)) }) }]
    if (trouble === undefined || !concerns(trouble.kind, kind)) return [{ step, state: 'started' }]
    return [{ step, state: 'failed', message: trouble.message.slice(0, stepMessage) }]
  })
}

/** A container that can't be made fails the step that is under way, be it the first container or a later one. */
const concerns = (trouble: Trouble['kind'], step: Trouble['kind']): boolean =>
  trouble === step || (step !== 'schedule' && trouble !== 'schedule')
