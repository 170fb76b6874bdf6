import type { EndReason, FailReason, Phase, SessionLimits, SessionState } from '@berth/contract'
import type { RunnerObservation, RunnerRunning, RuntimeStep } from '@berth/runtime'
import { deadlineWarning, limitReached, limitsDueAt, sameLimits } from './limit-times.ts'
import { untoldSteps } from './runtime-steps.ts'

/** What the reconciler looks at: everything, each time. */
export interface Observed {
  state: SessionState
  runner: RunnerObservation
  /** Milliseconds since 1970. */
  now: number
  /** When the generation was asked for. */
  startedAt: number
  /** The last sign of life, or when this backend began to watch, whichever is later. */
  aliveAt: number
  /** What session and project set by now; the state may hold older ones. */
  limits: SessionLimits
}

/** One step; the reconciler takes it and looks again. */
export type Step =
  | { do: 'nothing'; againInMs?: number }
  /** A runner is wanted: as soon as there is room for it. */
  | { do: 'launch' }
  /** Ask the runtime for the generation of the state again. */
  | { do: 'ensure' }
  | { do: 'stop'; graceMs: number }
  | {
      do: 'end'
      reason: EndReason
      message: string
      exitCode?: number
      signal?: string
      /** The runner may still be there: force it away. */
      kill: boolean
      retryAt?: number
    }
  | { do: 'fail'; reason: FailReason; message: string }
  | { do: 'purge' }
  /** How far the runtime is with the start. */
  | { do: 'tell'; steps: RuntimeStep[] }
  /** The project's settings changed. */
  | { do: 'limits'; limits: SessionLimits }
  /** A limit is reached: the session stops. */
  | { do: 'enforce' }
  /** A limit comes near: people are told. */
  | { do: 'warn' }

export const timing = {
  /** Silence after which somebody looks whether a runner is still there: two heartbeats did not come. */
  lookMs: 11_000,
  /** Silence after which a runner is fenced out. */
  silenceMs: 30_000,
  /** Time in which the runtime is asked again and again for a runner that is not there yet: it may be busy with many. */
  askMs: 120_000,
  /** Time for a runner to save and end by itself after a stop was asked for; longer than what it allows itself. */
  stopMs: 120_000,
  /** Time between SIGTERM and force. */
  graceMs: 10_000,
  /** Runners lost in a row after which a session fails. */
  maxRestarts: 5,
  maxBackoffMs: 60_000,
} as const

/** How long to wait before the next runner: at once, then 1 s, 2 s, 4 s … up to a minute. */
export const backoffMs = (restarts: number): number =>
  restarts === 0 ? 0 : Math.min(timing.maxBackoffMs, 1000 * 2 ** (restarts - 1))

/** The next step towards what is wanted. Pure and level-based: nothing but what is observed counts. */
export const plan = (observed: Observed): Step => {
  const { state, runner, now } = observed
  const { summary } = state
  if (state.live) return planLive(observed)
  if (runner.state === 'running') return { do: 'stop', graceMs: 0 }
  if (summary.desired === 'deleted') {
    const due = Date.parse(summary.purgeAt ?? summary.updatedAt)
    return due <= now ? { do: 'purge' } : { do: 'nothing', againInMs: due - now }
  }
  if (summary.desired !== 'running' || summary.status.phase !== 'pending') return { do: 'nothing' }
  // Whoever was told that there is no room is started as soon as there is: not by a look at it.
  if (summary.status.reason === 'capacity') return { do: 'nothing' }
  const hopeless = hopelessStart(state)
  if (hopeless !== undefined) return hopeless
  if (summary.restarts >= timing.maxRestarts) return giveUp(state)
  const { retryAt } = summary.status
  const wait = retryAt === undefined ? 0 : Date.parse(retryAt) - now
  return wait > 0 ? { do: 'nothing', againInMs: wait } : { do: 'launch' }
}

/** The phases in which a runner belongs to the session; in the others one that still lives has to end. */
const runs: ReadonlySet<Phase> = new Set(['starting', 'idle', 'working', 'waiting'])

const planLive = (observed: Observed): Step => {
  const { state, runner, now, startedAt, aliveAt } = observed
  const { generation, desired, status, restarts } = state.summary
  const retryAt = desired === 'running' ? now + backoffMs(restarts) : undefined
  const leaving = desired !== 'running' || !runs.has(status.phase)
  if (runner.state === 'absent' || runner.generation !== generation) {
    if (!state.connected && !leaving && now - startedAt < timing.askMs) return { do: 'ensure' }
    return { do: 'end', reason: 'lost', message: 'The runner is gone without a trace.', kill: true, retryAt }
  }
  if (runner.state === 'ended') {
    const { reason, message, exitCode, signal } = runner
    return { do: 'end', reason, message, exitCode, signal, kill: false, retryAt }
  }
  const steps = untoldSteps(state, runner.steps ?? [])
  if (steps.length > 0) return { do: 'tell', steps }
  const silent = now - Math.max(aliveAt, beganAt(runner, now))
  if (leaving) {
    if (!hasWork(state)) return { do: 'stop', graceMs: timing.graceMs }
    const left = Math.min(Date.parse(status.since) + timing.stopMs - now, timing.silenceMs - silent)
    return left > 0 ? { do: 'nothing', againInMs: left } : { do: 'stop', graceMs: timing.graceMs }
  }
  if (silent < timing.silenceMs) return planLimits(observed, timing.silenceMs - silent)
  const seconds = Math.round(silent / 1000)
  return {
    do: 'end',
    reason: 'silent',
    message: `The runner was silent for ${seconds} s.`,
    kill: true,
    retryAt,
  }
}

/**
 * Whether a runner that is to leave needs time for it. One that has not come so far may never hear of it: it is on its way, or
 * it is busy with what nobody wants any more.
 */
const hasWork = ({ ready, connected, summary }: SessionState): boolean =>
  summary.desired === 'deleted' ? ready : connected

/** Who has not begun can't say anything. */
const beganAt = ({ steps, beganAt: at, startedAt }: RunnerRunning, now: number): number =>
  steps === undefined ? startedAt : (at ?? now)

/** What the limits ask for; the next look is after `againInMs` at the latest. */
const planLimits = ({ state, limits, now }: Observed, againInMs: number): Step => {
  if (!sameLimits(state.limits, limits)) return { do: 'limits', limits }
  if (limitReached(state, now) !== undefined) return { do: 'enforce' }
  if (deadlineWarning(state, now) !== undefined) return { do: 'warn' }
  return { do: 'nothing', againInMs: Math.min(againInMs, limitsDueAt(state) - now) }
}

/** The runtime has waited for long before it said so: the next runner would fare no better. */
const hopelessStart = ({ summary, lastEnd }: SessionState): Step | undefined => {
  const { status } = summary
  if (status.phase !== 'pending' || status.reason !== 'backoff') return undefined
  if (lastEnd?.reason !== 'image' && lastEnd?.reason !== 'unschedulable') return undefined
  const advice =
    lastEnd.reason === 'image'
      ? 'Repair the image or the setting that names it, then resume the session.'
      : 'Make room in the cluster, or ask for less, then resume the session.'
  return { do: 'fail', reason: lastEnd.reason, message: `${lastEnd.message} ${advice}` }
}

const giveUp = ({ summary, lastEnd }: SessionState): Step => {
  const last = lastEnd === undefined ? '' : ` The last time: ${lastEnd.message}`
  const reason = lastEnd?.reason === 'out-of-memory' ? 'out-of-memory' : 'crash-loop'
  return {
    do: 'fail',
    reason,
    message: `The runner was lost ${summary.restarts} times in a row.${last} Look at the session's log, then resume it.`,
  }
}
