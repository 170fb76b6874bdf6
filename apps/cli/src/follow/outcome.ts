import type { AnyEvent, EventOf } from '@berth/contract'
import type { ExitReason } from '../exit-code.ts'

/** How the wait for a prompt ended. */
export type Outcome =
  | { kind: 'turn'; turn: string; result: EventOf<'turn.ended'>['data']['result']; message: string }
  | { kind: 'failed'; message: string }
  | { kind: 'stopped'; message: string }
  | { kind: 'person'; message: string }
  | { kind: 'detached'; message: string }

/** Watches a prompt through the log until its turn ends, or can't any more. Without a prompt: the first one. */
export const trackPrompt = (wanted?: string): ((event: AnyEvent) => Outcome | undefined) => {
  let prompt = wanted
  let turn: string | undefined
  let stopping = false
  return (event) => {
    switch (event.type) {
      case 'prompt.queued':
        prompt ??= event.data.prompt
        return undefined
      case 'turn.started':
        if (event.data.prompt === prompt) turn = event.data.turn
        return undefined
      case 'turn.ended':
        return event.data.turn === turn
          ? { kind: 'turn', turn: event.data.turn, ...resultOf(event) }
          : undefined
      case 'turn.paused':
        return event.data.turn === turn
          ? { kind: 'stopped', message: 'The turn is paused. It goes on when the session is resumed.' }
          : undefined
      case 'prompt.withdrawn':
        return event.data.prompt === prompt
          ? { kind: 'stopped', message: 'The prompt was withdrawn.' }
          : undefined
      case 'session.failed':
      case 'start.failed':
        return { kind: 'failed', message: event.data.message }
      case 'session.stop_requested':
        stopping = turn !== undefined
        return stopping
          ? undefined
          : { kind: 'stopped', message: 'The session was stopped; the prompt waits in it.' }
      case 'generation.ended':
        return stopping ? { kind: 'stopped', message: 'The session was stopped.' } : undefined
      case 'session.deleted':
        return { kind: 'stopped', message: 'The session was deleted.' }
      default:
        return undefined
    }
  }
}

const resultOf = ({ data }: EventOf<'turn.ended'>) => ({ result: data.result, message: data.message })

/** What an outcome is as an exit code. */
export const exitOf = (outcome: Outcome): ExitReason => {
  switch (outcome.kind) {
    case 'turn':
      if (outcome.result === 'success') return 'success'
      return outcome.result === 'interrupted' ? 'interrupted' : 'failed'
    case 'stopped':
      return 'interrupted'
    case 'detached':
      return 'success'
    default:
      return outcome.kind
  }
}
