import { readFile } from 'node:fs/promises'
import type { z } from 'zod'

export interface OperatorFile<S extends z.ZodType> {
  /** For people, such as `The prices`. */
  what: string
  /** The variable that names the file. */
  variable: string
  schema: S
}

/** Reads a JSON file of the operator's. Throws one error that names the file and every bad entry. */
export const readOperatorFile = async <S extends z.ZodType>(
  file: string,
  { what, variable, schema }: OperatorFile<S>,
): Promise<z.output<S>> => {
  const fail = (why: string) => new Error(`${what} in ${file} (${variable}) can’t be used. ${why}`)
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw fail(`The file can’t be read: ${error.message}`)
  })
  const parsed = schema.safeParse(parse(text, fail))
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map(
    ({ path, message }) => `  ${path.join(' → ') || '(file)'}: ${message}`,
  )
  throw fail(`Repair these entries:\n${lines.join('\n')}`)
}

const parse = (text: string, fail: (why: string) => Error): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw fail(`It is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
