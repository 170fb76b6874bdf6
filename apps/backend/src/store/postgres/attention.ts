import type { Store } from '../port.ts'
import type { Connections } from './connections.ts'

/** Those on which nobody works: a row that is being written, and one whose lease another backend holds, is in good hands. */
const text = `SELECT sessions.id
  FROM sessions LEFT JOIN generations ON generations.session = sessions.number AND live = 1
  LEFT JOIN leases ON leases.name = 'session:' || sessions.id
    AND leases.expires_at > (extract(epoch from clock_timestamp()) * 1000)::bigint
  WHERE leases.name IS NULL AND (due_at <= $1 OR seen_at < $2)
  ORDER BY least(due_at, seen_at + $1 - $2)
  LIMIT $3 FOR NO KEY UPDATE OF sessions SKIP LOCKED`

/** Due sessions and silent ones, those first that have waited longest; several backends share them. */
export const attention = async (
  connections: Connections,
  { now, silentBefore, limit }: Parameters<Store['attention']>[0],
): Promise<string[]> => {
  const rows = await connections.statement(text, [now, silentBefore, limit])
  return rows.map(({ id }) => String(id))
}
