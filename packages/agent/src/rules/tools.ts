/** Tools that read files; a `Read` rule with a path concerns them all, as in Claude Code. */
export const readTools = new Set(['Read', 'Glob', 'Grep', 'LS', 'NotebookRead'])

/** Tools that change files; an `Edit` rule concerns them all, as in Claude Code. */
export const editTools = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit'])

/** Tools that touch nothing but the conversation's own bookkeeping: without a rule they are never asked about. */
export const harmlessTools = new Set([
  'TodoWrite',
  'TaskCreate',
  'TaskGet',
  'TaskList',
  'TaskOutput',
  'TaskStop',
  'TaskUpdate',
  'ToolSearch',
  'EnterPlanMode',
  'ListAgents',
  'ReportFindings',
  'AskUserQuestion',
])

/** Tools that hand a decision to a person: without a rule they are always asked about. */
export const decisionTools = new Set(['ExitPlanMode'])

const pathFields = ['file_path', 'notebook_path', 'path'] as const

/** The path that a file tool works on; for a search without one, the working directory. */
export const pathOf = (input: Record<string, unknown>): string => {
  for (const field of pathFields) {
    const value = input[field]
    if (typeof value === 'string' && value !== '') return value
  }
  return '.'
}
