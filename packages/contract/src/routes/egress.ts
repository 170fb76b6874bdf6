import { limits } from '../limits.ts'
import { route } from './route.ts'

/** The way from a sandbox to hosts that its project allows, for the door. */
export const egressRoutes = {
  runnerEgress: route({
    method: 'POST',
    path: '/runner/egress',
    role: 'runner',
    tag: 'Runner',
    summary:
      'Pass a request of the agent’s programs on to a host that the project allows: a head with method, address and headers, then the body, streamed; the answer comes in the same form',
    takes: 'bytes',
    bodyLimit: limits.egressRequest,
    response: { status: 200, kind: 'bytes' },
    errors: ['invalid_input', 'fenced', 'egress_refused', 'egress_busy', 'egress_failed'],
  }),
} as const
