import { limits, preview, type SessionStatus, stopMessages } from '@berth/contract'
import { untoldSteps } from '../runtime-steps.ts'
import type { Deciders } from './draft.ts'
import { closeOpen, endTurn, maxLosses } from './turn-flow.ts'

/** How a turn ends that a stop cut short. */
const stoppedTurn = (status: SessionStatus) => {
  const reason = status.phase === 'stopped' ? status.reason : 'user'
  const code = reason === 'user' ? 'stopped' : reason
  return { result: 'interrupted', code, message: stopMessages[reason] } as const
}

/** What the reconciler does to a session: the life of its runners. */
export const lifeDeciders: Deciders<'launch' | 'steps' | 'end' | 'fail'> = {
  launch: (log, { actor, runtime, limits: values, memoryMiB, cpus }) => {
    const { live, summary } = log.current
    if (live || summary.desired !== 'running' || summary.status.phase !== 'pending') return
    log.add(actor, {
      type: 'generation.started',
      data: { generation: summary.generation + 1, runtime, limits: values, memoryMiB, cpus },
    })
  },
  steps: (log, { actor, generation, steps }) => {
    const { live, summary } = log.current
    if (!live || summary.generation !== generation) return
    for (const step of untoldSteps(log.current, steps))
      log.add(actor, { type: 'generation.step', data: { generation, ...step } })
  },
  end: (log, { actor, kind: _, ...end }) => {
    const data = { ...end, message: preview(end.message, limits.message) }
    const { live, summary } = log.current
    if (!live || summary.generation !== data.generation) return
    closeOpen(log, data.message)
    log.add(actor, { type: 'generation.ended', data })
    const { desired, turn, status } = log.current.summary
    const held = desired === 'stopped' && turn?.paused !== undefined && !turn.interrupting
    if (desired !== 'running' && !held) endTurn(log, stoppedTurn(status))
    else if (turn?.interrupting === true)
      endTurn(log, { result: 'interrupted', code: 'interrupted', message: 'Interrupted.' })
    else if (turn !== undefined && turn.losses > maxLosses)
      endTurn(log, {
        result: 'failed',
        code: 'crashed',
        message: `The runner was lost twice during this turn. ${data.message}`,
      })
  },
  fail: (log, { actor, reason, message }) => {
    if (log.current.summary.status.phase !== 'failed')
      log.add(actor, { type: 'session.failed', data: { reason, message: preview(message, limits.message) } })
  },
}
