import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { createQueryId, type SelectModifierNode, SqliteQueryCompiler } from 'kysely'
import { Placeholder, type Program, type Statement, type Step, storeTime, type Values } from '../query.ts'

/** SQLite has one writer, so rows need no locks. */
class Compiler extends SqliteQueryCompiler {
  protected override visitSelectModifier(_: SelectModifierNode): void {}
}

const compiler = new Compiler()

interface Prepared {
  statement: StatementSync
  parameters: readonly unknown[]
}

/** The most statements of varying shape that are kept prepared. */
const varyingStatements = 100

/** Runs programs on one connection, to their end, without waiting for anything. */
export class Executor {
  readonly #database: DatabaseSync
  readonly #prepared = new WeakMap<Statement, Prepared>()
  /** Those that are built anew each time, by their text. */
  readonly #varying = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** `time`: the store's own. */
  run<T>(program: Program<T>, time: number = Date.now()): T {
    let { done, value } = program.next()
    while (done !== true) ({ done, value } = program.next(this.#step(value as Step, time)))
    return value as T
  }

  #step({ statement, values, wants, enough }: Step, time: number): unknown {
    const { statement: prepared, parameters } = this.#prepare(statement)
    const bound = bind(parameters, { ...values, [storeTime.name]: time })
    if (enough !== undefined) return rowsUntil(prepared.iterate(...bound), enough)
    if (wants === 'rows') return prepared.all(...bound)
    return wants === 'row' ? prepared.get(...bound) : Number(prepared.run(...bound).changes)
  }

  #prepare(statement: Statement): Prepared {
    const known = this.#prepared.get(statement)
    if (known !== undefined) return known
    const { sql, parameters } = compiler.compileQuery(statement.node, createQueryId())
    if (statement.varies) return { statement: this.#varies(sql), parameters }
    const prepared = { statement: this.#database.prepare(sql), parameters }
    this.#prepared.set(statement, prepared)
    return prepared
  }

  #varies(sql: string): StatementSync {
    const known = this.#varying.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    if (this.#varying.size >= varyingStatements) this.#varying.clear()
    this.#varying.set(sql, statement)
    return statement
  }
}

const bind = (parameters: readonly unknown[], values: Values): SQLInputValue[] =>
  parameters.map((parameter) =>
    parameter instanceof Placeholder ? values[parameter.name] : parameter,
  ) as SQLInputValue[]

const rowsUntil = (rows: Iterable<unknown>, enough: (row: unknown) => boolean): unknown[] => {
  const wanted: unknown[] = []
  for (const row of rows) {
    if (enough(row)) break
    wanted.push(row)
  }
  return wanted
}
