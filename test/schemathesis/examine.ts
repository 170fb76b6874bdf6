import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Caller } from './callers.ts'
import { readReport } from './recorded.ts'
import type { Answered } from './rights.ts'

const run = promisify(execFile)

/** What every answer has to be. Which input is refused is said by more than schemas: names that exist, and policies. */
const checks = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'ignored_auth',
]

/** Values that exist, by the place of a parameter: `path.session`. */
export type Known = Record<string, string[]>

export interface Examination {
  /** The program of schemathesis. */
  program: string
  url: string
  /** Where its files are put. */
  directory: string
  caller: Caller
  /** `coverage`: every border of every schema; `fuzzing`: what is drawn. */
  phases: ('coverage' | 'fuzzing')[]
  /** How many are drawn, for each operation. */
  examples: number
  known: Known
  /** Others for some operations, by name. */
  knownOf?: Record<string, Known>
  /** Operations that are not asked. */
  without: readonly string[]
  /** After so long it is ended, which is a failure. */
  timeoutMs: number
}

export interface Examined {
  /** What schemathesis found wrong, and how to repeat it. */
  failures: string | undefined
  answers: Answered[]
}

const longestFailures = 10_000

/** What exists is sent nine times in ten, so that most requests get beyond "not found". */
const placesOf = (known: Known, list: string) =>
  Object.keys(known).map((place, i) => `"${place}" = { dictionary = "${list}${i}", probability = 0.9 }`)

const listsOf = (known: Known, list: string) =>
  Object.values(known).map((values, i) => `[dictionaries.${list}${i}]\nvalues = ${JSON.stringify(values)}`)

const configOf = ({ known, knownOf = {} }: Examination): string => {
  const operations = Object.entries(knownOf)
  return [
    `hooks = ${JSON.stringify(join(import.meta.dirname, 'addresses.py'))}`,
    ...[known, ...Object.values(knownOf)].flatMap((one, i) => listsOf(one, `known${i}_`)),
    ...['[parameters]', ...placesOf(known, 'known0_')],
    // Which of them are no faults is told by their codes, which rights.ts looks at.
    '[checks.not_a_server_error]',
    'expected-statuses = ["2XX", "3XX", "4XX", 502, 503, 504]',
    ...operations.flatMap(([name, own], i) => [
      ...['[[operations]]', `include-operation-id = ${JSON.stringify(name)}`, '[operations.parameters]'],
      ...placesOf(own, `known${i + 1}_`),
    ]),
  ].join('\n')
}

const optionsOf = (examination: Examination, { config, report }: { config: string; report: string }) => {
  const { url, caller, phases, examples, without } = examination
  return [
    ...['--config-file', config, 'run', `${url}/openapi.json`, '--continue-on-failure'],
    ...(caller.token === undefined ? [] : ['--header', `Authorization: Bearer ${caller.token}`]),
    ...['--checks', checks.join(','), '--phases', phases.join(','), '--max-examples', String(examples)],
    // One worker asks in one order; and several come upon a fault of Python 3.11.
    ...['--seed', '1', '--workers', '1', '--no-shrink', '--generation-database', 'none'],
    ...['--generation-with-security-parameters', 'false', '--suppress-health-check', 'all'],
    ...['--request-timeout', '60', '--warnings', 'off', '--no-color'],
    ...without.flatMap((name) => ['--exclude-operation-id', name]),
    ...['--report', 'ndjson', '--report-ndjson-path', report],
  ]
}

/** The part of the output from its errors and failures on. */
const failuresIn = (output: string): string => {
  const start = Math.max(0, output.search(/^=+ (ERRORS|FAILURES) =+$/m))
  return output.slice(start).slice(0, longestFailures)
}

/** Runs schemathesis over the whole document as one caller. Rejects when it can't run, or not to its end. */
export const examine = async (examination: Examination): Promise<Examined> => {
  const { program, url, directory, caller, timeoutMs } = examination
  const config = join(directory, `${caller.name}.toml`)
  const report = join(directory, `${caller.name}.ndjson`)
  await writeFile(config, configOf(examination))
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' }
  const options = { cwd: directory, env, maxBuffer: 64 * 1024 * 1024, timeout: timeoutMs }
  const failures = await run(program, optionsOf(examination, { config, report }), options).then(
    () => undefined,
    ({ code, stdout, stderr }) => {
      if (code === 1) return failuresIn(stdout)
      const how = code === null ? `did not end within ${timeoutMs / 1000} s` : `ended with ${code}`
      throw new Error(`schemathesis ${how}: ${`${stdout}${stderr}`.slice(-2000)}`)
    },
  )
  return { failures, answers: await readReport(report, url) }
}
