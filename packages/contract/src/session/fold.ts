import type { AnyEvent, Event } from '../events/event.ts'
import {
  type HoldReason,
  isHold,
  nextPhase,
  type SessionStatus,
  type Signal,
  type StopReason,
} from '../lifecycle.ts'
import { activityOf } from './activity.ts'
import { sessionAppliers } from './apply-session.ts'
import { turnAppliers } from './apply-turn.ts'
import { workspaceAppliers } from './apply-workspace.ts'
import { created } from './created.ts'
import { isCurrent, withSummary } from './edits.ts'
import type { SessionState } from './state.ts'

/** The state after an event. Pure; the first event of a log must be `session.created`. */
export const foldSession = (state: SessionState | undefined, event: AnyEvent): SessionState => {
  if (state === undefined) {
    if (event.type !== 'session.created')
      throw new Error(`a log begins with session.created, not ${event.type}`)
    return created(event)
  }
  const next = { ...state, ...factPlaces(state, event), summary: { ...state.summary, seq: event.seq } }
  if (event.type === 'unknown') return next
  const after = apply(next, event)
  const moved = signals(state, after, event).reduce((current, signal) => move(current, signal, event), after)
  return describe(state, moved, event)
}

/** How far the facts of the current generation, and those of the one before, are stored. */
const factPlaces = (state: SessionState, event: AnyEvent): Partial<SessionState> => {
  const { generation, n } = event
  if (generation === undefined || n === undefined) return {}
  if (generation === state.summary.generation) return { n }
  return state.previous?.generation === generation ? { previous: { generation, n } } : {}
}

type Applier = (state: SessionState, event: Event) => SessionState

const tables = [sessionAppliers, turnAppliers, workspaceAppliers] as readonly Partial<
  Record<Event['type'], Applier>
>[]

const apply = (state: SessionState, event: Event): SessionState =>
  tables.reduce((current, table) => table[event.type]?.(current, event) ?? current, state)

/** The signals that an event gives, seen from the state before and after its data was applied. */
const signals = (before: SessionState, after: SessionState, event: Event): Signal[] => {
  switch (event.type) {
    case 'generation.started':
      return ['launch']
    case 'agent.ready':
      return isCurrent(after, event) ? ['ready'] : []
    case 'turn.started':
      return ['turn']
    case 'turn.ended':
      return after.summary.turn === undefined && before.summary.turn !== undefined ? ['rest'] : []
    case 'permission.requested':
    case 'question.asked':
      return ['ask']
    case 'permission.decided':
    case 'question.answered':
    case 'request.cancelled':
    case 'request.withdrawn':
      return after.summary.requests.length === 0 && after.summary.turn !== undefined ? ['answer'] : []
    case 'session.stop_requested':
    case 'session.deleted':
      return ['stop']
    case 'generation.ended':
      return [after.summary.desired === 'running' ? 'lost' : 'exit']
    case 'session.failed':
      return ['fail']
    case 'start.failed':
      return isCurrent(after, event) ? ['fail'] : []
    case 'session.resume_requested':
      return ['resume']
    default:
      return []
  }
}

const move = (state: SessionState, signal: Signal, event: Event): SessionState => {
  const { status } = state.summary
  const next = nextPhase(status.phase, signal)
  if (next === status.phase) return state
  return withSummary(state, { status: statusOf(next, state, event) })
}

const statusOf = (phase: SessionStatus['phase'], state: SessionState, event: Event): SessionStatus => {
  const since = event.at
  switch (phase) {
    case 'pending': {
      if (event.type !== 'generation.ended' || state.summary.status.phase === 'stopping')
        return { phase, since, reason: 'queued' }
      return { phase, since, reason: 'backoff', message: event.data.message, retryAt: event.data.retryAt }
    }
    case 'stopping':
    case 'stopped':
      return { phase, since, reason: stopReasonOf(state, event) }
    case 'failed': {
      if (event.type === 'session.failed' || event.type === 'start.failed')
        return { phase, since, ...event.data }
      throw new Error(`${event.type} can't fail a session`)
    }
    default:
      return { phase, since }
  }
}

const stopReasonOf = (state: SessionState, event: Event): StopReason => {
  if (event.type === 'session.stop_requested') return event.data.reason
  if (event.type === 'session.deleted') return 'deleted'
  return state.summary.status.phase === 'stopping' ? state.summary.status.reason : 'user'
}

/** Events that change nothing which a list shows. */
const silent = new Set<Event['type']>([
  'block.delta',
  'block.started',
  'block.aborted',
  'agent.raw',
  'egress.refused',
  'operation.requested',
  'operation.completed',
  'operation.failed',
  'operation.cancelled',
])

const describe = (before: SessionState, after: SessionState, event: Event): SessionState => {
  if (silent.has(event.type)) return after
  return withSummary(after, {
    activity: activityOf(before, after, event),
    blockedBy: blockedBy(after),
    updatedAt: event.at,
  })
}

/** Prompts or a turn wait for somebody to raise a limit. */
const blockedBy = ({ summary }: SessionState): HoldReason | undefined => {
  const { status, queue, turn } = summary
  if (status.phase !== 'stopped' && status.phase !== 'stopping') return undefined
  const waits = queue.length > 0 || turn !== undefined
  return waits && isHold(status.reason) ? status.reason : undefined
}
