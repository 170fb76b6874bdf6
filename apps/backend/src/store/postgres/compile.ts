import { createQueryId, PostgresQueryCompiler } from 'kysely'
import { Placeholder, type Statement, storeTime, type Value, type Values } from '../query.ts'

/** The database's own clock, in milliseconds since 1970: it goes on within a transaction. */
export const databaseTime = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

class Compiler extends PostgresQueryCompiler {
  protected override appendValue(value: unknown): void {
    if (value === storeTime) this.append(databaseTime)
    else super.appendValue(value)
  }
}

const compiler = new Compiler()

/** A statement as the driver takes it. With a name, the server keeps it prepared for the connection. */
export interface Compiled {
  name: string | undefined
  text: string
  parameters: readonly unknown[]
}

const known = new WeakMap<Statement, Compiled>()
let count = 0

export const compile = (statement: Statement): Compiled => {
  const before = known.get(statement)
  if (before !== undefined) return before
  const { sql: text, parameters } = compiler.compileQuery(statement.node, createQueryId())
  if (statement.varies) return { name: undefined, text, parameters }
  count += 1
  const compiled = { name: `berth_${count}`, text, parameters }
  known.set(statement, compiled)
  return compiled
}

/** The values of a run, in the order of the statement's parameters. */
export const bind = ({ parameters }: Compiled, values: Values): Value[] =>
  parameters.map((parameter) =>
    storable((parameter instanceof Placeholder ? values[parameter.name] : parameter) as Value),
  )

/**
 * PostgreSQL's text has no NUL. JSON writes it as an escape, so events and states keep theirs; in what is only searched and
 * shown the replacement character stands for it.
 */
export const storable = <T extends Value | undefined>(value: T): T =>
  (typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value) as T
