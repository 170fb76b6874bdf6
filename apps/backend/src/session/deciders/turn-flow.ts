import { type HoldReason, limits, preview } from '@berth/contract'
import { turnsUsedUp } from '../limit-times.ts'
import { backendActor, type Draft } from './draft.ts'

/** The runners that one turn may lose and still go on with the next. */
export const maxLosses = 1

/** Starts the next turn when the agent is free and a prompt waits. */
export const dispatch = (log: Draft): void => {
  const { ready, live, summary, restore } = log.current
  const next = summary.queue[0]
  // A turn that began now would see files that are about to change.
  const free =
    ready && live && restore === undefined && summary.desired === 'running' && summary.status.phase === 'idle'
  if (!free || summary.turn !== undefined || next === undefined) return
  if (turnsUsedUp(log.current, log.current.limits)) {
    stopFor(log, 'turns')
    return
  }
  const { prompt, seq: promptSeq } = next
  log.add(backendActor, {
    type: 'turn.started',
    data: { turn: log.context.turn, prompt, promptSeq, attempt: 1 },
  })
}

/** What follows from the limits when a turn has ended: it was the last one, or all is done. */
export const settle = (log: Draft): void => {
  const { limits, summary } = log.current
  if (summary.desired !== 'running' || summary.status.phase !== 'idle' || summary.turn !== undefined) return
  if (turnsUsedUp(log.current, limits)) stopFor(log, 'turns')
  else if (limits.stopWhenDone && summary.queue.length === 0) stopFor(log, 'completed')
}

const stopFor = (log: Draft, reason: 'turns' | 'completed'): void =>
  log.add(backendActor, { type: 'session.stop_requested', data: { reason } })

interface TurnEnd {
  result: 'interrupted' | 'failed'
  code: string
  message: string
}

/** Ends the current turn in the place of a runner that can't. */
export const endTurn = (log: Draft, end: TurnEnd): void => {
  const { turn } = log.current.summary
  if (turn === undefined) return
  const durationMs = Math.max(0, Date.parse(log.context.at) - Date.parse(turn.startedAt))
  log.add(backendActor, {
    type: 'turn.ended',
    data: { turn: turn.turn, attempt: turn.attempt, ...end, durationMs },
  })
}

/**
 * Holds a session back until somebody raises a limit: its turn stops in the middle and goes on when the session is resumed.
 * One that is to be interrupted ends instead.
 */
export const hold = (log: Draft, reason: HoldReason, message: string): void => {
  const { desired, turn } = log.current.summary
  if (desired !== 'running') return
  if (turn !== undefined && turn.paused === undefined && !turn.interrupting)
    log.add(backendActor, {
      type: 'turn.paused',
      data: { turn: turn.turn, reason, message: preview(message, limits.message) },
    })
  log.add(backendActor, { type: 'session.stop_requested', data: { reason } })
}

/** Closes what the last runner left open: its blocks are aborted, its requests and operations cancelled. */
export const closeOpen = (log: Draft, reason: string): void => {
  for (const block of log.current.openBlocks)
    log.add(backendActor, { type: 'block.aborted', data: { block, reason } })
  for (const { request } of log.current.summary.requests)
    log.add(backendActor, { type: 'request.cancelled', data: { request, reason } })
  for (const operation of log.current.operations)
    log.add(backendActor, {
      type: 'operation.cancelled',
      data: { operation, error: { code: 'failed', message: reason } },
    })
}

/**
 * The turn of a lost runner goes on once, unless it was to be interrupted; a second loss fails it. One that was paused goes on
 * as often as it is.
 */
export const continueTurn = (log: Draft): void => {
  const { turn, status } = log.current.summary
  if (turn === undefined || status.phase !== 'idle') return
  const { turn: id, prompt, promptSeq, attempt, losses, interrupting, paused } = turn
  if (interrupting) endTurn(log, { result: 'interrupted', code: 'interrupted', message: 'Interrupted.' })
  else if (losses > maxLosses)
    endTurn(log, {
      result: 'failed',
      code: 'crashed',
      message: 'The runner was lost twice during this turn.',
    })
  else
    log.add(backendActor, {
      type: 'turn.started',
      data: { turn: id, prompt, promptSeq, attempt: attempt + 1, paused: paused?.reason },
    })
}
