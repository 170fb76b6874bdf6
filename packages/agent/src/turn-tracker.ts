import { noUsage } from '@berth/contract'
import type { Clock } from './clock.ts'
import type { Fields } from './fields.ts'
import { answersMessage, isUnprompted, outcomeOf, type TurnResult, usageOf } from './turn-result.ts'

/** A turn that Claude Code works on. */
export interface RunningTurn {
  turn: string
  attempt: number
  /** Of the message that carries it. */
  uuid: string
  startedAt: number
  /** Claude Code has taken the message up. */
  taken: boolean
  interrupting: boolean
  /** A result that may be this turn's: known when Claude Code says that the message is done. */
  held: { message: Fields; costBefore: number } | undefined
}

export interface TurnTracker {
  current(): RunningTurn | undefined
  /** The turn to which something belongs that happens now: the running one, else the last one. */
  place(): string | undefined
  begin(turn: Pick<RunningTurn, 'turn' | 'attempt' | 'uuid'>): void
  result(message: Fields): void
  /** What Claude Code says about a message: queued, started, completed, cancelled … */
  lifecycle(uuid: string, state: string): void
}

const done = new Set(['completed', 'cancelled', 'discarded', 'failed'])

/**
 * Knows which result belongs to which turn, by the uuid of the message that carried it. A result without a uuid is kept
 * until Claude Code says that the message is done (local commands); one of unprompted work ends no turn.
 */
export const createTurnTracker = (deps: {
  clock: Clock
  onResult: (result: TurnResult) => void
  /** Claude Code took the message of the running turn up. */
  onTaken: (turn: RunningTurn) => void
  /** The turn before the first. */
  last?: string
}): TurnTracker => {
  const { clock, onResult, onTaken } = deps
  let running: RunningTurn | undefined
  let last = deps.last
  let cost = 0

  const end = (turn: RunningTurn, result: Omit<TurnResult, 'turn' | 'attempt' | 'durationMs'>) => {
    running = undefined
    const durationMs = Math.max(0, Math.round(clock.now() - turn.startedAt))
    onResult({ turn: turn.turn, attempt: turn.attempt, durationMs, ...result })
  }

  const endWith = (turn: RunningTurn, message: Fields, costBefore: number) => {
    const usage = usageOf(message, costBefore)
    end(turn, { ...outcomeOf(message, turn.interrupting), steps: usage.requests, usage })
  }

  return {
    current: () => running,
    place: () => running?.turn ?? last,
    begin(turn) {
      last = turn.turn
      running = { ...turn, startedAt: clock.now(), taken: false, interrupting: false, held: undefined }
    },
    result(message) {
      const costBefore = cost
      if (typeof message.total_cost_usd === 'number') cost = message.total_cost_usd
      if (running === undefined) return
      if (answersMessage(message, running.uuid)) endWith(running, message, costBefore)
      else if (!isUnprompted(message) && running.taken) running.held = { message, costBefore }
    },
    lifecycle(uuid, state) {
      if (running?.uuid !== uuid) return
      if (state === 'started') {
        running.taken = true
        onTaken(running)
      }
      if (!done.has(state)) return
      if (running.held !== undefined) endWith(running, running.held.message, running.held.costBefore)
      else if (running.interrupting)
        end(running, {
          result: 'interrupted',
          code: 'interrupted',
          message: 'The turn was interrupted before it began.',
          steps: 0,
          usage: noUsage,
        })
      else
        end(running, {
          result: 'error',
          code: 'not-delivered',
          message: 'Claude Code did not take the prompt: it has had a message with this uuid. Send it again.',
          steps: 0,
          usage: noUsage,
        })
    },
  }
}
