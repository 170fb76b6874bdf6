import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { closedError } from '../program-store.ts'
import type { Program, Step } from '../query.ts'
import { bind, compile } from './compile.ts'
import { isAway, isConflict, toStoreError } from './fault.ts'

export interface ConnectionOptions {
  url: string
  /** Connections at once. Default: 10. */
  connections?: number
  /** Milliseconds that one statement may take. Default: 30,000. */
  statementMs?: number
  /** Milliseconds that a statement may wait for another transaction. Default: 10,000. */
  lockMs?: number
  /** Milliseconds in which a connection must be there. Default: 5,000. */
  connectMs?: number
  /** Milliseconds of silence after which a statement's connection counts as broken. Default: `statementMs` and 5,000. */
  answerMs?: number
  /** Milliseconds between two questions whether the connection for news still hears. Default: 10,000. */
  checkMs?: number
}

/** A connection in the middle of a transaction, or one of its own. */
export type Connection = Pick<pg.ClientBase, 'query'>

/** Numbers that fit come as numbers; nothing here is beyond 2^53. */
const numeric: ReadonlySet<number> = new Set([pg.types.builtins.INT8, pg.types.builtins.NUMERIC])
const types: pg.CustomTypesConfig = {
  getTypeParser: (type, format) =>
    (numeric.has(type) ? Number : pg.types.getTypeParser(type, format)) as never,
}

export const clientConfig = ({ statementMs = 30_000, ...options }: ConnectionOptions): pg.ClientConfig => ({
  connectionString: options.url,
  application_name: 'berth',
  statement_timeout: statementMs,
  // The server keeps the other limits, unless the network swallows what it says.
  query_timeout: options.answerMs ?? statementMs + 5_000,
  lock_timeout: options.lockMs ?? 10_000,
  // Between two statements a transaction only computes: one that idles lost its connection, and holds up others.
  idle_in_transaction_session_timeout: 10_000,
  // What is acknowledged is durable, also where the server is set to be faster than that.
  options: '-c synchronous_commit=on',
  connectionTimeoutMillis: options.connectMs ?? 5_000,
  keepAlive: true,
  types,
})

/** The COMMIT was sent and nobody knows what came of it. */
class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown'
}

const attempts = 5

/** The pool, and how programs and transactions run on it. */
export class Connections {
  readonly #pool: pg.Pool
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#pool = new pg.Pool({
      ...clientConfig(options),
      max: options.connections ?? 10,
      idleTimeoutMillis: 60_000,
    })
    // A connection that breaks while nobody uses it is dropped by the pool; whoever asks next gets another.
    this.#pool.on('error', () => undefined)
    // One that breaks on its way from the pool to whoever asked belongs to nobody: its error would end the process.
    this.#pool.on('connect', (client) => client.on('error', () => undefined))
  }

  /** Runs a program that changes nothing. A step that finds the connection broken is asked again on another. */
  async read<T>(program: Program<T>): Promise<T> {
    if (this.#closed) throw closedError()
    const ask = (step: Step) => this.#again(() => runStep(this.#pool, step))
    return follow(program, ask)
  }

  /**
   * Does work in a transaction, again from the start when it loses against another or the connection breaks before the end.
   * When it breaks during the COMMIT nobody knows what came of it: the caller is told `unavailable` and asks again, and what
   * was done is found by then: facts by generation and number, people's requests by their key, and the backend's own
   * commands by the state that they find.
   */
  async transact<T>(work: (connection: Connection) => Promise<T>, isolation = 'READ COMMITTED'): Promise<T> {
    if (this.#closed) throw closedError()
    return this.#again(() => this.#once(work, isolation))
  }

  /** One statement of text, for instance `NOTIFY`. */
  async statement(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    if (this.#closed) throw closedError()
    return (await this.#again(() => this.#pool.query(text, values))).rows
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pool.end()
  }

  async #once<T>(work: (connection: Connection) => Promise<T>, isolation: string): Promise<T> {
    const client = await this.#pool.connect()
    let broken: Error | undefined
    try {
      await client.query(`BEGIN ISOLATION LEVEL ${isolation}`)
      const value = await work(client)
      await commit(client)
      return value
    } catch (error) {
      broken = isAway(error) || error instanceof OutcomeUnknown ? (error as Error) : undefined
      if (broken === undefined)
        await client.query('ROLLBACK').catch((failed: Error) => {
          broken = failed
        })
      throw error
    } finally {
      client.release(broken)
    }
  }

  async #again<T>(task: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await task()
      } catch (error) {
        const hopeless = error instanceof OutcomeUnknown || !(isAway(error) || isConflict(error))
        if (hopeless || attempt === attempts || this.#closed) throw toStoreError(causeOf(error))
        await sleep(2 ** attempt * 10 * (0.5 + Math.random()))
      }
    }
  }
}

const causeOf = (error: unknown): unknown => (error instanceof OutcomeUnknown ? error.cause : error)

const commit = async (client: Connection): Promise<void> => {
  try {
    await client.query('COMMIT')
  } catch (cause) {
    throw isAway(cause) ? new OutcomeUnknown('COMMIT', { cause }) : cause
  }
}

/** Runs a program on a connection. */
export const runProgram = <T>(connection: Connection, program: Program<T>): Promise<T> =>
  follow(program, (step) => runStep(connection, step))

const follow = async <T>(program: Program<T>, ask: (step: Step) => Promise<unknown>): Promise<T> => {
  let { done, value } = program.next()
  while (done !== true) ({ done, value } = program.next(await ask(value as Step)))
  return value as T
}

const runStep = async (
  connection: Connection,
  { statement, values, wants, enough }: Step,
): Promise<unknown> => {
  const compiled = compile(statement)
  const { name, text } = compiled
  const { rows, rowCount } = await connection.query({ name, text, values: bind(compiled, values) })
  if (wants === 'count') return rowCount ?? 0
  if (wants === 'row') return rows[0]
  const end = enough === undefined ? -1 : rows.findIndex((row) => enough(row))
  return end === -1 ? rows : rows.slice(0, end)
}
