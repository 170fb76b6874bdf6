import { Gauge, Histogram, type Registry } from 'prom-client'
import type { Occupancy } from '../store/port.ts'

/** Who lives and who waits, in sums: a label for each session would never end. */
export const roomMetrics = (register: Registry, occupancy: () => Promise<Occupancy>) => {
  const waited = new Histogram({
    name: 'berth_queue_seconds',
    help: 'Time from wanting a runner to getting room for one',
    buckets: [0.01, 0.1, 1, 10, 60, 300, 1800, 7200],
    registers: [register],
  })
  // The gauges are collected together: one look for all.
  let looking: Promise<Occupancy> | undefined
  const look = () => {
    looking ??= occupancy().finally(() => {
      looking = undefined
    })
    return looking
  }
  const gauge = (name: string, help: string, value: (found: Occupancy) => number) =>
    new Gauge({
      name,
      help,
      registers: [register],
      async collect() {
        this.set(value(await look()))
      },
    })
  gauge(
    'berth_live_sessions',
    'Sessions with a runner, or with a place that is kept for one',
    ({ live }) => live.length,
  )
  gauge('berth_queue_sessions', 'Sessions that wait for room', ({ waiting }) => waiting.length)
  gauge(
    'berth_live_sessions_memory_bytes',
    'Memory that the agents of all live sessions use, as measured last',
    ({ live }) => live.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0),
  )
  return { admitted: (waitedMs: number) => waited.observe(waitedMs / 1000) }
}
