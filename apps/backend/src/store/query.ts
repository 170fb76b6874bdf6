import {
  type Compilable,
  DummyDriver,
  Kysely,
  type RootOperationNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Tables } from './schema.ts'

/** Kysely as a typed builder only. Each store compiles what is built for its database, and runs it itself. */
export const sql = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** Stands for a value while a query is built. */
export class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/**
 * Stands for the store's own time, in milliseconds since 1970: where several backends share a database it is the database's,
 * because the clocks of machines differ.
 */
export const storeTime = new Placeholder('store time')

/** What a statement can be given. */
export type Value = string | number | null

/** The values that a query is given at each run. */
export type Values = Readonly<Record<string, Value>>

/** A statement as it was built; a store keeps what it makes of it by this object's identity. */
export interface Statement {
  readonly node: RootOperationNode
  /** It was built for one run, with its values in it. */
  readonly varies: boolean
}

/** A statement that a program wants to be run, and what of the outcome: all rows, the first, or how many were changed. */
export interface Step {
  statement: Statement
  values: Values
  wants: 'rows' | 'row' | 'count'
  /** With `rows`: says that this row and those after it are not wanted any more. */
  enough?: (row: unknown) => boolean
}

/**
 * Work on the database that knows neither how statements are run nor whether one has to wait for them: it yields steps and is
 * given their outcomes. SQLite runs it in one go, PostgreSQL over a connection.
 */
export type Program<T> = Generator<Step, T, unknown>

/** A query with named values. Its methods are parts of programs. */
class Query<V extends object, R> {
  readonly #statement: Statement

  constructor(build: (values: V) => Compilable<R> & { toOperationNode(): RootOperationNode }) {
    const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) })
    this.#statement = { node: build(placeholders as V).toOperationNode(), varies: false }
  }

  *all(values: V): Program<R[]> {
    return (yield { statement: this.#statement, values: values as Values, wants: 'rows' }) as R[]
  }

  /** The rows before the first for which `enough` holds; it is asked once for each. */
  *some(values: V, enough: (row: R) => boolean): Program<R[]> {
    const step: Step = { statement: this.#statement, values: values as Values, wants: 'rows' }
    return (yield { ...step, enough: (row) => enough(row as R) }) as R[]
  }

  *get(values: V): Program<R | undefined> {
    return (yield { statement: this.#statement, values: values as Values, wants: 'row' }) as R | undefined
  }

  /** Rows that were changed. */
  *run(values: V): Program<number> {
    return (yield { statement: this.#statement, values: values as Values, wants: 'count' }) as number
  }
}

export type { Query }

/** Makes a query whose values have type `V`. What builds it sees placeholders, so it must only hand them on. */
export const query =
  <V extends object>() =>
  <R>(build: (values: V) => Compilable<R> & { toOperationNode(): RootOperationNode }): Query<V, R> =>
    new Query<V, R>(build)

/** The rows of a query that was built for this run. */
export function* rowsOf<R>(built: Compilable<R> & { toOperationNode(): RootOperationNode }): Program<R[]> {
  const statement: Statement = { node: built.toOperationNode(), varies: true }
  return (yield { statement, values: {}, wants: 'rows' }) as R[]
}
