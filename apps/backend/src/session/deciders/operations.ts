import { BerthError, limits, preview } from '@berth/contract'
import { type Deciders, refuseDeleted } from './draft.ts'

/** What people ask a live session's runner to do with the workspace. */
export const operationDeciders: Deciders<'operate' | 'cancel-operation'> = {
  operate: (log, { actor, operation, request }) => {
    refuseDeleted(log.current)
    const { live, connected, summary, operations } = log.current
    // Before a runner has said that it is up, what is asked would be taken for a question to the one before.
    if (!live || !connected || summary.desired !== 'running')
      throw new BerthError(
        'session_not_live',
        `Session ${summary.id} is ${summary.status.phase}: no runner is there that could do this. Resume the session first.`,
      )
    if (operations.length >= limits.openOperations)
      throw new BerthError(
        'too_many_operations',
        `${operations.length} operations on this workspace are under way already. Wait for some to end.`,
      )
    log.add(actor, { type: 'operation.requested', data: { operation, request } })
  },
  'cancel-operation': (log, { actor, operation, message }) => {
    if (!log.current.operations.includes(operation)) return
    const error = { code: 'failed', message: preview(message, limits.message) } as const
    log.add(actor, { type: 'operation.cancelled', data: { operation, error } })
  },
}
