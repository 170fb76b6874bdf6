import { posix } from 'node:path'
import { preview } from '@berth/contract'
import { type Fields, textOf } from './fields.ts'
import { canonicalTool } from './rules/parse-rule.ts'
import { pathOf } from './rules/tools.ts'

/** A tool use in words: what the agent is busy with, and what it would do. */
export interface ToolWords {
  doing: string
  would: string
}

const oneLine = (text: string, length: number) => preview(text.trim().replaceAll(/\s+/g, ' '), length)

const shortPath = (input: Fields, cwd: string): string => {
  const path = pathOf(input)
  const relative = posix.relative(cwd, posix.resolve(cwd, path))
  if (relative === '') return 'the workspace'
  return oneLine(relative.startsWith('..') ? path : relative, 120)
}

type Describe = (input: Fields, cwd: string) => [doing: string, would: string]

const editing: Describe = (input, cwd) => [
  `Editing ${shortPath(input, cwd)}`,
  `Edit ${shortPath(input, cwd)}`,
]

const searching: Describe = (input, cwd) => {
  const what = `for \`${oneLine(textOf(input.pattern), 80)}\` in ${shortPath({ path: input.path }, cwd)}`
  return [`Searching ${what}`, `Search ${what}`]
}

const descriptions: Record<string, Describe> = {
  Bash: (input) => {
    const command = `\`${oneLine(textOf(input.command), 150)}\``
    return [`Running ${command}`, `Run ${command}`]
  },
  Read: (input, cwd) => [`Reading ${shortPath(input, cwd)}`, `Read ${shortPath(input, cwd)}`],
  Edit: editing,
  MultiEdit: editing,
  NotebookEdit: editing,
  Write: (input, cwd) => [`Writing ${shortPath(input, cwd)}`, `Write ${shortPath(input, cwd)}`],
  Glob: searching,
  Grep: searching,
  WebFetch: (input) => [
    `Fetching ${oneLine(textOf(input.url), 150)}`,
    `Fetch ${oneLine(textOf(input.url), 500)}`,
  ],
  WebSearch: (input) => {
    const query = `"${oneLine(textOf(input.query), 120)}"`
    return [`Searching the web for ${query}`, `Search the web for ${query}`]
  },
  Agent: (input) => {
    const what = oneLine(textOf(input.description) || textOf(input.prompt), 120)
    return [`Working with a subagent: ${what}`, `Start a subagent: ${what}`]
  },
  AskUserQuestion: () => ['Asking a question', 'Ask a question'],
  ExitPlanMode: (input) => ['Presenting a plan', `Carry out the plan: ${oneLine(textOf(input.plan), 900)}`],
  TodoWrite: () => ['Updating its list of tasks', 'Update its list of tasks'],
}

/** Says what a tool use is about. */
export const describeTool = (tool: string, input: Fields, cwd: string): ToolWords => {
  const describe = descriptions[canonicalTool(tool)]
  const [doing, would] = describe?.(input, cwd) ?? [`Using ${tool}`, `Use ${tool}`]
  return { doing: preview(doing, 200), would: preview(would, 1000) }
}
