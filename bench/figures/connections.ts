import type { Figure } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { load } from '../support/load.ts'

/** DESIGN: 1,000 connections, no error. */
export const connections: Figure = {
  name: 'connections',
  about: '1,000 connections at once (closed loop)',
  run: () =>
    withBackend({ sessions: 100 }, async ({ url, headers, sessions }) => {
      const target = `${url}/api/projects/default/sessions/${sessions[50]}`
      const { errors, rate, p99 } = await load({
        url: target,
        headers,
        connections: 1000,
        duration: 8,
        timeout: 20,
      })
      return [
        {
          what: 'errors',
          value: errors,
          unit: '',
          goal: { atMost: 0 },
          note: `${Math.round(rate)}/s, p99 ${p99} ms`,
        },
      ]
    }),
}
