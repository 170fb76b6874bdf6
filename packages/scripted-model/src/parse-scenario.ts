import { parseDocument } from 'yaml'
import { checkScenario, type ScenarioProblem } from './check-scenario.ts'
import { limits } from './limits.ts'
import { type Scenario, scenarioSchema } from './scenario-schema.ts'

/** A scenario that can't be used: which file, where in it, and what to do. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError'
  readonly file: string
  readonly problems: readonly ScenarioProblem[]

  constructor(file: string, problems: readonly ScenarioProblem[]) {
    const lines = problems.slice(0, 20).map(({ path, message }) => `  ${path}: ${message}.`)
    super(`The scenario ${file} can't be used:\n${lines.join('\n')}`)
    this.file = file
    this.problems = problems
  }
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return text.replace(/^\./, '') || 'the file'
}

/**
 * Checks a scenario that is already data; `file` stands in the messages.
 * @throws {ScenarioError} with every problem found.
 */
export function validateScenario(value: unknown, file: string): Scenario {
  const parsed = scenarioSchema.safeParse(value)
  if (!parsed.success) {
    throw new ScenarioError(
      file,
      parsed.error.issues.map((issue) => ({ path: pathText(issue.path), message: issue.message })),
    )
  }
  const problems = checkScenario(parsed.data)
  if (problems.length > 0) throw new ScenarioError(file, problems)
  return parsed.data
}

/**
 * Reads one scenario file (YAML or JSON).
 * @throws {ScenarioError} when it is too large, is not YAML, or doesn't say what a scenario must say.
 */
export function parseScenario(text: string, file: string): Scenario {
  if (Buffer.byteLength(text) > limits.scenarioFileBytes) {
    throw new ScenarioError(file, [
      {
        path: 'the file',
        message: `is larger than ${limits.scenarioFileBytes} bytes. Split it into several scenarios`,
      },
    ])
  }
  const document = parseDocument(text)
  if (document.errors.length > 0) {
    throw new ScenarioError(
      file,
      document.errors.map((error) => ({
        path: 'the file',
        message: `${error.message.trim()} Correct the YAML`,
      })),
    )
  }
  return validateScenario(document.toJS({ maxAliasCount: 100 }), file)
}
