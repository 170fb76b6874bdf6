import { BerthError } from '@berth/contract'
import type { FastifyRequest } from 'fastify'
import type { RunnerIdentity } from '../store/port.ts'

/** The runner of a request; `authoriseRunner` has put it there. */
export const runnerOf = (request: FastifyRequest): RunnerIdentity => {
  const { runner } = request
  if (runner === null) throw new BerthError('unauthenticated', 'Send the runner’s token.')
  return runner
}
