import { Tail } from '../../apps/backend/src/events/tail.ts'
import type { Figure } from '../figure.ts'
import { seed } from '../support/seed.ts'
import { appendFacts, launchAll, withStore } from '../support/store.ts'

const fill = async (store: Parameters<typeof appendFacts>[0], session: string, count: number) => {
  for (let from = 1; from <= count; from += 500) await appendFacts(store, session, { from, count: 500 })
}

/** DESIGN: replay of 1,000 events ≤ 20 ms; of 100,000 in constant memory at ≥ 100,000 events/s. */
export const replay: Figure = {
  name: 'replay',
  about: 'reading a whole log through the tail, at the store’s port',
  run: () =>
    withStore(async (store) => {
      const [small = '', large = ''] = await seed(store, 2)
      await launchAll(store, [small, large])
      await fill(store, small, 1000)
      await fill(store, large, 100_000)
      const tail = new Tail({
        read: async (session, after) => {
          const lines = await store.events(session, { after, limit: 1000, maxBytes: 1024 * 1024 })
          return lines.map(({ seq, json }) => ({ position: seq, json }))
        },
      })
      const read = async (session: string, until: number) => {
        const stop = new AbortController()
        let [count, most] = [0, 0]
        const before = process.memoryUsage().rss
        const started = performance.now()
        for await (const lines of tail.follow(session, 0, stop.signal)) {
          count += lines.length
          most = Math.max(most, process.memoryUsage().rss - before)
          if (count >= until) stop.abort()
        }
        return { ms: performance.now() - started, rate: (count / (performance.now() - started)) * 1000, most }
      }
      await read(small, 1000)
      const short = await read(small, 1000)
      const long = await read(large, 100_000)
      return [
        { what: '1,000 events', value: short.ms, unit: 'ms', goal: { atMost: 20 } },
        { what: '100,000 events', value: long.rate, unit: '/s', goal: { atLeast: 100_000 } },
        {
          what: '100,000 events: memory',
          value: long.most / 1e6,
          unit: 'MB',
          goal: { atMost: 100 },
          note: 'more than before',
        },
      ]
    }),
}
