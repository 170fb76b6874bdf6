import { Gauge, type Registry } from 'prom-client'
import type { AuditChain } from '../store/audit-store.ts'

/** What operators watch of the audit: how much there is, and whether it is sealed in time. */
export const auditMetrics = (
  register: Registry,
  { chain, now }: { chain: () => Promise<AuditChain>; now: () => number },
): void => {
  new Gauge({
    name: 'berth_audit_entries',
    help: 'Entries of the audit that are kept',
    labelNames: ['state'] as const,
    registers: [register],
    async collect() {
      const { tip, anchor, unsealed } = await chain()
      this.set({ state: 'sealed' }, tip.number - (anchor?.number ?? 0))
      this.set({ state: 'unsealed' }, unsealed)
    },
  })
  new Gauge({
    name: 'berth_audit_seal_lag_seconds',
    help: 'Age of the oldest entry of the audit that is not sealed',
    registers: [register],
    async collect() {
      const { unsealedSince } = await chain()
      this.set(unsealedSince === undefined ? 0 : Math.max(0, now() - unsealedSince) / 1000)
    },
  })
}
