import type { Figure, Row } from '../figure.ts'
import { withBackend } from '../support/backend.ts'
import { load } from '../support/load.ts'

const goal = { atMost: 10 }

/** DESIGN: list (50 rows) at 500/s and get at 2,000/s, p99 below 10 ms. */
export const openLoop: Figure = {
  name: 'open-loop',
  about: '10,000 sessions stored, requests at a fixed rate (open loop)',
  run: () =>
    withBackend({ sessions: 10_000 }, async ({ url, headers, sessions }) => {
      const base = `${url}/api/projects/default/sessions`
      const middle = sessions[5000] ?? ''
      const cases = [
        { what: 'list of 50, 500/s', url: `${base}?limit=50`, overallRate: 500 },
        { what: 'get, 2,000/s', url: `${base}/${middle}`, overallRate: 2000 },
      ]
      const rows: Row[] = []
      for (const { what, ...target } of cases) {
        await load({ ...target, headers, connections: 20, duration: 3 })
        const { p50, p99, rate } = await load({ ...target, headers, connections: 20, duration: 10 })
        rows.push({
          what: `${what}: p99`,
          value: p99,
          unit: 'ms',
          goal,
          note: `p50 ${p50} ms at ${Math.round(rate)}/s`,
        })
      }
      return rows
    }),
}
