import { backendActor } from '../session/decide.ts'
import type { SealerOptions } from './sealer.ts'

const dayMs = 86_400_000

/** Days that entries are kept, unless it is configured. */
const usualDays = 365

/**
 * Removes sealed entries that are older than they are kept. The chain begins after them from then on: a signed anchor says so,
 * and so does an entry.
 */
export const removeExpired = async (
  { store, keys, log, days = usualDays }: Pick<SealerOptions, 'store' | 'keys' | 'log' | 'days'>,
  now: number,
): Promise<void> => {
  if (days === 0) return
  const last = await store.auditExpired(now - days * dayMs)
  if (last === undefined) return
  const entry = {
    at: now,
    actor: backendActor,
    action: 'audit.expired',
    object: { kind: 'audit', id: String(last.number) },
    result: 'done',
    details: { upTo: last.number, digest: last.digest, days },
  } as const
  await store.audited(entry).expireAudit(keys.head(last, now, 'anchor'))
  log.info({ upTo: last.number, days }, 'Old entries of the audit were removed')
}
