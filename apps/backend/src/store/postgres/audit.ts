import type { AuditColumns } from '../audit-row.ts'
import type { AppendState } from './append-state.ts'
import type { Connection } from './connections.ts'

const columns = {
  id: 'text',
  at: 'bigint',
  actor_kind: 'text',
  actor_id: 'text',
  actor_name: 'text',
  action: 'text',
  project: 'text',
  session: 'text',
  object_kind: 'text',
  object_id: 'text',
  result: 'text',
  code: 'text',
  address: 'text',
  request_id: 'text',
  details: 'text',
} as const satisfies Record<keyof AuditColumns, string>

const names = Object.keys(columns) as (keyof AuditColumns)[]
const types = names.map((name, index) => `$${index + 1}::${columns[name]}[]`)

const text = `INSERT INTO audit (${names.join(', ')}) SELECT * FROM unnest(${types.join(', ')})
  ON CONFLICT (id) DO NOTHING`

/** Records what was done by appends, in one statement. */
export const recordAudits = async (
  connection: Connection,
  { audit }: Pick<AppendState, 'audit'>,
): Promise<void> => {
  if (audit.length === 0) return
  const values = names.map((name) => audit.map((row) => row[name]))
  await connection.query({ name: 'berth_record_audits', text, values })
}
