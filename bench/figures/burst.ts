import { type Figure, percentile } from '../figure.ts'
import { withBackend } from '../support/backend.ts'

/** DESIGN: 100 sessions created at once, each POST p99 ≤ 50 ms. */
export const burst: Figure = {
  name: 'burst',
  about: '100 sessions created at once, runners that are only said to start',
  run: () =>
    withBackend({}, async ({ url, headers }) => {
      const target = `${url}/api/projects/default/sessions`
      const create = async () => {
        const started = performance.now()
        const response = await fetch(target, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ prompt: 'Repair the flaky test' }),
        })
        await response.arrayBuffer()
        if (response.status !== 201) throw new Error(`POST answered ${response.status}`)
        return performance.now() - started
      }
      const all = () => Promise.all(Array.from({ length: 100 }, create))
      await all()
      const times = await all()
      return [
        {
          what: 'POST p99',
          value: percentile(times, 0.99),
          unit: 'ms',
          goal: { atMost: 50 },
          note: `p50 ${percentile(times, 0.5).toFixed(1)} ms, after one warm-up`,
        },
      ]
    }),
}
