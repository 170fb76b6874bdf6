import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  type Compilable,
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Tables } from '../schema.ts'

/** Kysely as a typed compiler only: its queries are run here, synchronously. */
export const sql = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** Stands for a value while a query is compiled. */
class Placeholder {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** The values that a query is given at each run. */
export type Values = Record<string, SQLInputValue>

/** A query with named values, compiled and prepared once. */
class Query<V extends object, R> {
  readonly #statement: StatementSync
  readonly #parameters: readonly unknown[]

  /** `build` sees placeholders in the place of values, so it must only hand them on. */
  constructor(database: DatabaseSync, build: (values: V) => Compilable<R>) {
    const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) })
    const { sql: text, parameters } = build(placeholders as V).compile()
    this.#statement = database.prepare(text)
    this.#parameters = parameters
  }

  all(values: V): R[] {
    return this.#statement.all(...this.#bind(values)) as R[]
  }

  get(values: V): R | undefined {
    return this.#statement.get(...this.#bind(values)) as R | undefined
  }

  /** Rows that were changed. */
  run(values: V): number {
    return Number(this.#statement.run(...this.#bind(values)).changes)
  }

  *iterate(values: V): Generator<R> {
    for (const row of this.#statement.iterate(...this.#bind(values))) yield row as R
  }

  #bind(values: V): SQLInputValue[] {
    return this.#parameters.map((parameter) =>
      parameter instanceof Placeholder ? (values as Values)[parameter.name] : parameter,
    ) as SQLInputValue[]
  }
}

/** Makes queries of one database whose values have type `V`. */
export const queriesOf =
  (database: DatabaseSync) =>
  <V extends object>() =>
  <R>(build: (values: V) => Compilable<R>) =>
    new Query<V, R>(database, build)

/** The most statements of varying shape that are kept prepared. */
const statements = 100

/** Runs queries whose shape varies from call to call; prepared statements are kept by their text. */
export class VaryingQueries {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  all<R>(query: CompiledQuery<R>): R[] {
    const known = this.#prepared.get(query.sql)
    const statement = known ?? this.#database.prepare(query.sql)
    if (known === undefined) {
      if (this.#prepared.size >= statements) this.#prepared.clear()
      this.#prepared.set(query.sql, statement)
    }
    return statement.all(...(query.parameters as SQLInputValue[])) as R[]
  }
}
