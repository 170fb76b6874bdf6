import { milliCpusOf, type Phase, type SessionState } from '@berth/contract'
import { limitsDueAt } from '../session/limit-times.ts'
import { timing } from '../session/plan.ts'
import { foldText } from './fold-text.ts'

/** Phases in which a runner belongs to the session. In `stopping` one does too, but it should end. */
const runs: ReadonlySet<Phase> = new Set(['starting', 'idle', 'working', 'waiting'])

/**
 * From when on the reconciler should look at a session, or null: a runner that should not be there is due since the
 * phase began, one that should when a limit asks for something, a pending session at `retryAt` or at once, a deleted one
 * when it may be purged. Silent runners are found by their heartbeats, and sessions that wait for room by what they want.
 */
const dueAt = (state: SessionState): number | null => {
  const { live, summary } = state
  const { desired, status, purgeAt } = summary
  if (live)
    return desired === 'running' && runs.has(status.phase) ? limitsDue(state) : Date.parse(status.since)
  if (desired === 'deleted') return purgeAt === undefined ? null : Date.parse(purgeAt)
  if (desired !== 'running' || status.phase !== 'pending' || status.reason === 'capacity') return null
  return Date.parse(status.retryAt ?? status.since)
}

const limitsDue = (state: SessionState): number | null => {
  const at = limitsDueAt(state)
  return Number.isFinite(at) ? at : null
}

/**
 * Whether a session has room, or wants some. One whose runner was lost keeps its place for the next: otherwise a crash would
 * send it to the end of the queue. One that was lost too often is about to fail.
 */
const roomOf = ({ live, summary }: SessionState): { room: 'has' | 'wants' | null; since: number | null } => {
  const { desired, status, restarts } = summary
  if (live) return { room: 'has', since: null }
  if (desired !== 'running' || status.phase !== 'pending' || restarts >= timing.maxRestarts)
    return { room: null, since: null }
  return status.reason === 'backoff'
    ? { room: 'has', since: null }
    : { room: 'wants', since: Date.parse(status.since) }
}

/** What the sessions table repeats of a state, to search and sort by. */
export const sessionColumns = (state: SessionState) => {
  const { summary, ...rest } = state
  const { room, since } = roomOf(state)
  const asked = room === 'has' ? state : state.settings
  return {
    title_folded: foldText(summary.title),
    phase: summary.status.phase,
    deleted: summary.desired === 'deleted' ? 1 : 0,
    visibility: summary.visibility,
    shares: JSON.stringify(state.shares),
    due_at: dueAt(state),
    room,
    room_since: since,
    memory_mib: asked.memoryMiB ?? null,
    milli_cpus: asked.cpus === undefined ? null : milliCpusOf(asked.cpus),
    generation: summary.generation,
    seq: summary.seq,
    summary: JSON.stringify(summary),
    rest: JSON.stringify(rest),
  }
}

/** The state from its two columns. */
export const stateOf = (row: { summary: string; rest: string }): SessionState => ({
  ...JSON.parse(row.rest),
  summary: JSON.parse(row.summary),
})
