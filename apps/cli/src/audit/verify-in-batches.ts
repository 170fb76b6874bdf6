import { type AuditHead, type AuditVerification, limits } from '@berth/contract'

/**
 * Checks the audit with all heads that were kept, however many: as many with one request as Berth takes, so every request
 * reads the chain again. The first one that finds something wrong is the last, and what it found is given alone.
 */
export const verifyInBatches = async (
  heads: readonly AuditHead[],
  verify: (batch: AuditHead[]) => Promise<AuditVerification>,
  size: number = limits.auditHeads,
): Promise<AuditVerification> => {
  const before = { agreed: 0, olderHeads: 0, unchecked: 0 }
  for (let from = 0; ; from += size) {
    const batch = heads.slice(from, from + size)
    const found = await verify(batch)
    if (!found.ok) return found
    const olderHeads = before.olderHeads + found.olderHeads
    // Seals are counted by each request, heads whose key is gone by one: the most is what is known.
    const unchecked = Math.max(before.unchecked, found.unchecked)
    if (from + size >= heads.length)
      return { ...found, heads: before.agreed + found.heads, olderHeads, unchecked }
    // Berth’s own heads are in the count of each request.
    before.agreed += batch.length - found.olderHeads
    Object.assign(before, { olderHeads, unchecked })
  }
}
