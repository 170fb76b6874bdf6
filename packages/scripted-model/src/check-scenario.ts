import type { Condition } from './condition-schema.ts'
import { patternFlags } from './condition-schema.ts'
import type { Answer, Scenario, Step } from './scenario-schema.ts'
import { inspectTemplate } from './template.ts'

/** What is wrong where, in words for the author of the file. */
export interface ScenarioProblem {
  path: string
  message: string
}

/** Names that every template may use. */
const commonNames = ['prompt', 'result', 'cwd', 'model', 'turn', 'attempt', 'scenarios'] as const

function groupNames(pattern: string): string[] {
  const groups = new RegExp(`${pattern}|`, patternFlags).exec('')
  const numbered = Array.from({ length: (groups?.length ?? 1) - 1 }, (_, index) => String(index + 1))
  return [...Object.keys(groups?.groups ?? {}), ...numbered]
}

function conditionNames(condition: Condition | undefined): string[] {
  return [condition?.prompt, condition?.system, condition?.result].flatMap((part) =>
    part?.matches === undefined ? [] : groupNames(part.matches),
  )
}

function* templatesIn(value: unknown, path: string): Generator<{ path: string; text: string }> {
  if (typeof value === 'string') yield { path, text: value }
  else if (Array.isArray(value))
    for (const [index, item] of value.entries()) yield* templatesIn(item, `${path}[${index}]`)
  else if (value !== null && typeof value === 'object')
    for (const [key, item] of Object.entries(value)) yield* templatesIn(item, `${path}.${key}`)
}

function checkTemplates(answer: Answer, path: string, known: Set<string>): ScenarioProblem[] {
  return [...templatesIn(answer, path)].flatMap((template) => {
    const { names, unknownPipes } = inspectTemplate(template.text)
    const unknown = names.filter((name) => !known.has(name))
    return [
      ...unknown.map((name) => ({
        path: template.path,
        message: `{{${name}}} is not known. Name a group of a pattern so, or use one of: ${[...known].join(', ')}`,
      })),
      ...unknownPipes.map((pipe) => ({
        path: template.path,
        message: `"| ${pipe}" is not known. Use one of: or, count, words, first, last, sh`,
      })),
    ]
  })
}

function isEmpty(answer: Answer): boolean {
  return answer.think === undefined && answer.text === undefined && !answer.tools && !answer.fault
}

function checkAnswer(answer: Answer, path: string, known: Set<string>): ScenarioProblem[] {
  const problems = checkTemplates(answer, path, known)
  if (isEmpty(answer))
    problems.push({ path, message: 'says nothing. Give at least one of: text, think, tools, fault' })
  return problems
}

function checkStep(step: Step, path: string, known: Set<string>): ScenarioProblem[] {
  const { when, repeat, first_of: branches, ...answer } = step
  const own = [...known, ...conditionNames(when)]
  if (branches === undefined) return checkAnswer(answer, path, new Set(own))
  const problems = branches.flatMap((branch, index) => {
    const { when: condition, ...branchAnswer } = branch
    return checkAnswer(
      branchAnswer,
      `${path}.first_of[${index}]`,
      new Set([...own, ...conditionNames(condition)]),
    )
  })
  if (!isEmpty(answer))
    problems.push({ path, message: 'has first_of and an answer of its own. Keep one of them' })
  if (branches.at(-1)?.when !== undefined)
    problems.push({
      path: `${path}.first_of`,
      message: 'may find nothing. End the list with a branch without "when"',
    })
  return problems
}

/** What the schema can't say: templates name what exists, each step answers something. */
export function checkScenario(scenario: Scenario): ScenarioProblem[] {
  const known = new Set([...commonNames, ...Object.keys(scenario.remember), ...conditionNames(scenario.when)])
  return scenario.steps.flatMap((step, index) => checkStep(step, `steps[${index}]`, known))
}
