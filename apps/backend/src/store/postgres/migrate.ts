import { createHash } from 'node:crypto'
import { StoreOpenError } from '../open-error.ts'
import type { Connection, Connections } from './connections.ts'
import { postgresSchema } from './schema.ts'

const fingerprint = createHash('sha256').update(postgresSchema).digest('hex')

/** Any number, but always the same: it stands for Berth's migrations among the advisory locks of the database. */
const lock = 7_420_001

/**
 * Creates the tables in an empty database, one backend at a time; refuses one with other tables. Rejects with
 * `StoreOpenError`.
 */
export const migrate = (connections: Connections): Promise<void> =>
  connections.transact(async (connection) => {
    await connection.query('SELECT pg_advisory_xact_lock($1)', [lock])
    const tables = await namesOf(connection)
    if (tables.length === 0) {
      await connection.query(postgresSchema)
      await connection.query("INSERT INTO meta (name, value) VALUES ('schema', $1)", [fingerprint])
      return
    }
    const known = tables.includes('meta')
      ? (await connection.query("SELECT value FROM meta WHERE name = 'schema'")).rows[0]?.value
      : undefined
    if (known !== fingerprint)
      throw new StoreOpenError(
        'other-schema',
        'The database of BERTH_DATABASE_URL holds other tables, or those of another development version of Berth. Give Berth an empty database of its own, or start the version that made this one.',
      )
  })

/** Tables of somebody's own: extensions of the operator's, such as pg_stat_statements, bring views and tables of theirs. */
const namesOf = async (connection: Connection): Promise<string[]> => {
  const { rows } = await connection.query(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
      )`,
  )
  return rows.map(({ name }) => String(name))
}
