import { bytes } from './amounts.ts'

/** Inputs that say in one line what a tool does, most telling first. */
const telling = [
  'command',
  'file_path',
  'notebook_path',
  'pattern',
  'url',
  'query',
  'description',
  'skill',
  'prompt',
]

/** What a tool is used for, in one line: the telling part of its input. */
export const toolSummary = (input: string): string => {
  const parsed = parseObject(input)
  if (parsed === undefined) return input
  for (const name of telling) {
    const value = parsed[name]
    if (typeof value === 'string' && value.trim() !== '') return value.trim().replace(/^\/workspace\//, '')
  }
  if (Array.isArray(parsed.questions)) return questionSummary(parsed.questions)
  if (Array.isArray(parsed.todos)) return todoSummary(parsed.todos)
  const rest = JSON.stringify(parsed)
  return rest === '{}' ? '' : rest
}

const questionSummary = (questions: unknown[]): string =>
  questions.map((item) => String((item as { question?: unknown } | null)?.question ?? '')).join(' ')

const todoSummary = (todos: unknown[]): string => {
  const done = todos.filter((todo) => (todo as { status?: unknown } | null)?.status === 'completed').length
  return `${done} of ${todos.length} done`
}

const parseObject = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** The first line of a result, and how much more there is. */
export const resultSummary = (text: string, full?: { size: number }): string => {
  // Claude Code names its hook in what it tells the agent; a person wants the reason.
  const told = text.replace(/^PreToolUse:\S+ hook error: /, '')
  const lines = told.split('\n').filter((line) => line.trim() !== '')
  const first = lines[0]?.trim() ?? '(no output)'
  if (full !== undefined) return `${first} (${bytes(full.size)} in all)`
  const more = lines.length - 1
  return more <= 0 ? first : `${first} (+${more} ${more === 1 ? 'line' : 'lines'})`
}
