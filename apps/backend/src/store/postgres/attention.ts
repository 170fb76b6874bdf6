import type { Store } from '../port.ts'
import { databaseTime } from './compile.ts'
import type { Connections } from './connections.ts'

/**
 * Those on which nobody works: a row that is being written, and one whose lease another backend holds, is in good hands. Due
 * and silent ones are found by an index each, because all backends ask this every second.
 */
const text = `WITH found AS MATERIALIZED (
    (SELECT number, due_at AS since FROM sessions WHERE due_at <= $1 ORDER BY due_at LIMIT $3)
    UNION ALL
    (SELECT session, seen_at + $1 - $2 FROM generations WHERE live = 1 AND seen_at < $2 ORDER BY seen_at LIMIT $3)
  ), waiting AS (SELECT number, min(since) AS since FROM found GROUP BY number)
  SELECT sessions.id FROM waiting JOIN sessions USING (number)
  WHERE NOT EXISTS (
    SELECT FROM leases WHERE name = 'session:' || sessions.id
      AND expires_at > ${databaseTime}
  )
  ORDER BY waiting.since LIMIT $3 FOR NO KEY UPDATE OF sessions SKIP LOCKED`

/** Due sessions and silent ones, those first that have waited longest; several backends share them. */
export const attention = async (
  connections: Connections,
  { now, silentBefore, limit }: Parameters<Store['attention']>[0],
): Promise<string[]> => {
  const rows = await connections.statement(text, [now, silentBefore, limit])
  return rows.map(({ id }) => String(id))
}
