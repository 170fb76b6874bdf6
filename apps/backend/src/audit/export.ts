import type { AuditRecord } from '@berth/contract'
import type { AuditFilter, AuditStore } from '../store/audit-store.ts'

/** Numbers that are looked at at once. */
const pageSize = 1000

export type AuditFormat = 'jsonl' | 'cloudevents'

/** What is sealed by now, the oldest first, as text: a page at a time, so that it never lies in memory as a whole. */
export async function* exportAudit(
  store: Pick<AuditStore, 'auditSealed' | 'auditChain'>,
  filter: AuditFilter,
  format: AuditFormat,
): AsyncGenerator<string> {
  const { tip, anchor } = await store.auditChain()
  const write = (record: AuditRecord) => JSON.stringify(format === 'jsonl' ? record : cloudEvent(record))
  for (let after = anchor?.number ?? 0; after < tip.number; ) {
    const { items, last } = await store.auditSealed(filter, { after, limit: pageSize })
    if (last <= after) return
    if (items.length > 0) yield `${items.map(write).join('\n')}\n`
    after = last
  }
}

/** An entry as a CloudEvent 1.0: https://github.com/cloudevents/spec */
const cloudEvent = (record: AuditRecord) => ({
  specversion: '1.0',
  id: record.id,
  source: record.project === undefined ? '/berth' : `/berth/projects/${encodeURIComponent(record.project)}`,
  type: `berth.audit.${record.action}`,
  time: record.at,
  subject: record.object === undefined ? undefined : `${record.object.kind}/${record.object.id}`,
  datacontenttype: 'application/json',
  data: record,
})
