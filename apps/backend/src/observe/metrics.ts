import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { AuditChain } from '../store/audit-store.ts'
import type { Occupancy } from '../store/port.ts'
import { auditMetrics } from './audit-metrics.ts'
import { roomMetrics } from './room-metrics.ts'
import { usageCounters } from './usage-counters.ts'

export interface MetricSources {
  stats: () => Promise<{ sessions: Record<string, number>; bytes: number }>
  occupancy: () => Promise<Occupancy>
  tails: () => { bytes: number; readers: number }
  streams: () => number
  leases: () => number
  audit: () => Promise<AuditChain>
  now: () => number
}

/** What operators watch, in Prometheus' words. */
export const createMetrics = (sources: MetricSources) => {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const requests = new Histogram({
    name: 'berth_http_request_seconds',
    help: 'Time to answer, by route row and status',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [register],
  })
  const steps = new Counter({
    name: 'berth_reconcile_steps_total',
    help: 'Steps of the reconciler, by what was done and what it came to',
    labelNames: ['step', 'outcome'] as const,
    registers: [register],
  })
  const events = new Counter({
    name: 'berth_events_appended_total',
    help: 'Events appended to session logs by this backend',
    registers: [register],
  })
  const strangers = new Counter({
    name: 'berth_refused_strangers_total',
    help: 'Requests to change something from callers who are not known, by error code',
    labelNames: ['code'] as const,
    registers: [register],
  })
  const used = usageCounters(register)
  new Gauge({
    name: 'berth_sessions',
    help: 'Sessions by phase',
    labelNames: ['phase'] as const,
    registers: [register],
    async collect() {
      this.reset()
      for (const [phase, count] of Object.entries((await sources.stats()).sessions))
        this.set({ phase }, count)
    },
  })
  auditMetrics(register, { chain: sources.audit, now: sources.now })
  const { admitted } = roomMetrics(register, sources.occupancy)
  new Gauge({
    name: 'berth_streams',
    help: 'Open streams',
    registers: [register],
    collect() {
      this.set(sources.streams())
    },
  })
  new Gauge({
    name: 'berth_leases_held',
    help: 'Leases that this backend holds',
    registers: [register],
    collect() {
      this.set(sources.leases())
    },
  })
  new Gauge({
    name: 'berth_tail_ring_bytes',
    help: 'Recent events kept in memory for readers',
    registers: [register],
    collect() {
      this.set(sources.tails().bytes)
    },
  })
  return {
    text: () => register.metrics(),
    request: (labels: { method: string; route: string; status: number }, seconds: number) =>
      requests.observe({ ...labels, status: String(labels.status) }, seconds),
    step: (outcome: string, step: string) => steps.inc({ step, outcome }),
    /** A session got room after so many milliseconds. */
    admitted,
    appended: (count: number) => events.inc(count),
    used,
    /** Somebody who isn't known wanted to change something. */
    strangerRefused: (code: string) => strangers.inc({ code }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
