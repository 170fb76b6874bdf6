import { preview } from '../content.ts'
import type { Event } from '../events/event.ts'
import type { SessionState } from './state.ts'

/** What a session does right now, in a few words: from the state after an event, and where that says nothing, from it. */
export const activityOf = (before: SessionState, after: SessionState, event: Event): string => {
  const { status, requests, turn } = after.summary
  switch (status.phase) {
    case 'pending':
      if (status.reason === 'backoff') return `Starts again: ${preview(status.message ?? '', 200)}`
      return status.reason === 'capacity'
        ? preview(`Waits for room: ${status.message}`, 300)
        : 'Waiting to start'
    case 'waiting':
      return preview(`Needs an answer: ${requests[0]?.title ?? ''} ${requests[0]?.detail ?? ''}`.trim(), 300)
    case 'stopped':
      return `Stopped (${status.reason})`
    case 'failed':
      return preview(`Failed: ${status.message}`, 300)
    case 'idle':
      return 'Waiting for a prompt'
    case 'stopping':
      return 'Saving and stopping'
    default:
      return (turn?.interrupting === true ? 'Interrupting' : doing(event)) ?? fallback(before, after)
  }
}

const fallback = (before: SessionState, after: SessionState): string => {
  if (before.summary.status.phase === after.summary.status.phase) return before.summary.activity
  return after.summary.status.phase === 'starting' ? 'Starting' : 'Working'
}

const doing = (event: Event): string | undefined => {
  if (event.type === 'agent.status') return event.data.status
  if (event.type === 'agent.retrying') return `The model is tried again (attempt ${event.data.attempt})`
  if (event.type === 'turn.started') return 'Working'
  if (event.type === 'generation.step' && event.data.state === 'started')
    return `Starting: ${event.data.step}`
  if (event.type !== 'start.step' || event.data.state !== 'started') return undefined
  const item = event.data.item === undefined ? '' : ` ${event.data.item}`
  return `Starting: ${event.data.step}${item}`
}
