import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type ServerOptions, ServerProcess } from './server-process.ts'

/** A PostgreSQL server for tests. */
export interface Postgres {
  /** Makes an empty database; its URL, with a password. */
  createDatabase(): Promise<string>
  /** Deletes a database, whoever is connected. */
  dropDatabase(url: string): Promise<void>
  /** Runs a statement as an administrator, for instance `pg_terminate_backend`; its rows. */
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** Kills the server with SIGKILL; `start` starts it again. Undefined: it is not ours, see `BERTH_TEST_DATABASE_URL`. */
  kill: (() => Promise<void>) | undefined
  start: (() => Promise<void>) | undefined
  /** Stops the server and removes its data, or the databases that were made on another's. */
  stop(): Promise<void>
}

/**
 * Starts a PostgreSQL server of this process's own, or uses that of `BERTH_TEST_DATABASE_URL` (of a user who may create
 * databases). Takes about a second; one for each test file, and a database for each test. It ends with this process,
 * however that ends.
 */
export const startPostgres = async (options: ServerOptions = {}): Promise<Postgres> => {
  const given = process.env.BERTH_TEST_DATABASE_URL
  const own = given === undefined || given === '' ? await ServerProcess.make(options) : undefined
  const admin = own?.url('postgres') ?? given ?? ''
  const databases = new Set<string>()
  const query = (sql: string, values: unknown[] = []) => queryOnce(admin, sql, values)
  const dropDatabase = async (url: string) => {
    const name = new URL(url).pathname.slice(1)
    await query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
    databases.delete(url)
  }
  return {
    createDatabase: async () => {
      const name = `berth_${randomBytes(8).toString('hex')}`
      await query(`CREATE DATABASE "${name}" TEMPLATE template0`)
      const url = Object.assign(new URL(admin), { pathname: `/${name}` }).href
      databases.add(url)
      return url
    },
    dropDatabase,
    query,
    kill: own && (() => own.kill()),
    start: own && (() => own.start()),
    stop: async () => {
      if (own !== undefined) return own.dispose()
      for (const url of databases) await dropDatabase(url)
    },
  }
}

const queryOnce = async (url: string, sql: string, values: unknown[]) => {
  const client = new pg.Client({ connectionString: url, application_name: 'berth-tests' })
  await client.connect()
  try {
    return (await client.query(sql, values)).rows
  } finally {
    await client.end()
  }
}
