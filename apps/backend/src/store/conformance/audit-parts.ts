import { hkdfSync } from 'node:crypto'
import { systemClock } from '@berth/runtime'
import { pino } from 'pino'
import { type AuditKeys, ChainKeys } from '../../audit/chain-keys.ts'
import type { SealerOptions } from '../../audit/sealer.ts'
import type { AuditDraft } from '../audit-store.ts'
import type { Store } from '../port.ts'
import { person, startOfTime } from './harness.ts'

/** A ring of keys that tests know; the last is the current one. */
export const testKeys = (...ids: string[]): AuditKeys => ({
  current: ids.at(-1) ?? 'k1',
  ids,
  has: (id) => ids.includes(id),
  derive: (purpose, id = ids.at(-1) ?? 'k1') =>
    Buffer.from(hkdfSync('sha256', `secret of ${id}`, 'berth', purpose, 32)),
})

export const sealerOptions = (store: Store, keys = testKeys('k1')): SealerOptions => ({
  store,
  keys: new ChainKeys(keys),
  leases: { keep: async () => true },
  clock: systemClock,
  log: pino({ level: 'silent' }),
})

export const auditDraft = (action: string, more: Partial<AuditDraft> = {}): AuditDraft => ({
  at: startOfTime,
  actor: person,
  action,
  result: 'done',
  ...more,
})
