import type { SessionLimits, SessionState, StopReason } from '@berth/contract'

const minuteMs = 60_000

/** A deadline is announced when a tenth of it is left, or ten minutes if that is less. */
const warningShare = 0.1
const maxWarningMs = 10 * minuteMs

/** Milliseconds that the session's runners have run, without the time that it was stopped. */
const ranMs = ({ ranMs: before, liveSince }: SessionState, now: number): number =>
  before + (liveSince === undefined ? 0 : Math.max(0, now - Date.parse(liveSince)))

const deadlineMs = ({ deadlineMinutes }: SessionLimits): number =>
  deadlineMinutes === undefined ? Number.POSITIVE_INFINITY : deadlineMinutes * minuteMs

export const turnsUsedUp = (
  { summary }: Pick<SessionState, 'summary'>,
  { maxTurns }: SessionLimits,
): boolean => maxTurns !== undefined && summary.turns >= maxTurns

/** Nothing runs, nothing waits: neither a turn or a prompt, nor a person or somebody who asked for files. */
const isResting = ({ live, ready, operations, restore, summary }: SessionState): boolean =>
  live &&
  ready &&
  summary.status.phase === 'idle' &&
  summary.turn === undefined &&
  summary.queue.length === 0 &&
  operations.length === 0 &&
  restore === undefined

const idleAt = (state: SessionState): number => {
  const { idleMinutes } = state.limits
  if (idleMinutes === 0 || !isResting(state)) return Number.POSITIVE_INFINITY
  // Fractions of a minute are allowed, of a millisecond no database keeps.
  return Date.parse(state.activeAt) + Math.ceil(idleMinutes * minuteMs)
}

/** When a session that runs on has run for too long. */
const deadlineAt = (state: SessionState): number => {
  const { live, liveSince, limits } = state
  if (!live || liveSince === undefined) return Number.POSITIVE_INFINITY
  return Date.parse(liveSince) + deadlineMs(limits) - state.ranMs
}

/** Milliseconds that a runner which starts now may live; undefined: as long as it likes. */
export const runnerDeadlineMs = (state: SessionState, now: number): number | undefined => {
  const left = deadlineMs(state.limits) - ranMs(state, now)
  return Number.isFinite(left) ? Math.max(1000, left) : undefined
}

const warningAt = (state: SessionState): number => {
  if (state.deadlineWarned || state.limits.deadlineMinutes === undefined) return Number.POSITIVE_INFINITY
  return deadlineAt(state) - Math.min(maxWarningMs, deadlineMs(state.limits) * warningShare)
}

const turnsAt = (state: SessionState): number =>
  state.live && state.summary.status.phase === 'idle' && turnsUsedUp(state, state.limits)
    ? Date.parse(state.summary.status.since)
    : Number.POSITIVE_INFINITY

/** When one of its limits asks for something of a live session; infinity: none does. */
export const limitsDueAt = (state: SessionState): number =>
  Math.min(turnsAt(state), idleAt(state), warningAt(state), deadlineAt(state))

/** Why a live session has to stop by now. */
export const limitReached = (
  state: SessionState,
  now: number,
): Extract<StopReason, 'deadline' | 'turns' | 'idle'> | undefined => {
  if (deadlineAt(state) <= now) return 'deadline'
  if (turnsAt(state) <= now) return 'turns'
  return idleAt(state) <= now ? 'idle' : undefined
}

/** Minutes until the deadline, when people should be told by now. */
export const deadlineWarning = (state: SessionState, now: number): number | undefined =>
  warningAt(state) <= now ? Math.max(1, Math.ceil((deadlineAt(state) - now) / minuteMs)) : undefined

/** What keeps a stopped session from being resumed under these limits, and what to do about it. */
export const heldBy = (state: SessionState, limits: SessionLimits, now: number): string | undefined => {
  const { id, turns } = state.summary
  if (ranMs(state, now) >= deadlineMs(limits))
    return `Session ${id} has run for ${limits.deadlineMinutes} minutes, which is its deadline. Raise deadlineMinutes, then resume it.`
  if (turnsUsedUp(state, limits))
    return `Session ${id} has had ${turns} turns, and may have ${limits.maxTurns}. Raise maxTurns, then resume it.`
  return undefined
}

export const sameLimits = (a: SessionLimits, b: SessionLimits): boolean =>
  a.idleMinutes === b.idleMinutes &&
  a.deadlineMinutes === b.deadlineMinutes &&
  a.maxTurns === b.maxTurns &&
  a.stopWhenDone === b.stopWhenDone
