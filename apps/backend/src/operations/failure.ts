import { BerthError, type ErrorCode, type Event, type OperationError } from '@berth/contract'

type Answer = Extract<Event, { type: 'operation.completed' | 'operation.failed' | 'operation.cancelled' }>

const codes: Record<OperationError['code'], ErrorCode> = {
  'not-found': 'file_not_found',
  'not-a-file': 'not_a_file',
  'not-a-directory': 'not_a_directory',
  'too-large': 'too_large',
  changed: 'version_mismatch',
  refused: 'operation_refused',
  failed: 'operation_failed',
}

/** Why an operation gave nothing, in the words of the catalogue. */
export const operationFailure = (answer: Answer): BerthError => {
  if (answer.type === 'operation.failed') {
    const { code, message } = answer.data.error
    return new BerthError(codes[code], message)
  }
  if (answer.type === 'operation.cancelled')
    return new BerthError(
      'session_not_live',
      `The runner ended before it had answered: ${answer.data.error.message} Look at the session, then try again.`,
    )
  return new BerthError('operation_failed', 'The runner answered something else than what was asked.')
}
