/** One permission rule in Claude Code's syntax: `Tool` or `Tool(spec)`. */
export interface Rule {
  /** As it was written. */
  text: string
  /** The tool's name; `*` stands for any characters. */
  tool: string
  /** What the tool may be used on. Absent: anything. */
  spec: string | undefined
}

const shape = /^([^()\s]+)(?:\((.*)\))?$/s

/** Names under which Claude Code has known one tool. */
const aliases: Record<string, string> = { Task: 'Agent', KillShell: 'TaskStop', BashOutput: 'TaskOutput' }

/** The name by which rules know a tool. */
export const canonicalTool = (tool: string): string => aliases[tool] ?? tool

/** Reads a rule; undefined when the text is none. */
export const parseRule = (text: string): Rule | undefined => {
  const match = shape.exec(text.trim())
  if (match === null) return undefined
  const spec = match[2]?.trim().replaceAll(/\\([()])/g, '$1')
  return {
    text,
    tool: canonicalTool(match[1] ?? ''),
    spec: spec === undefined || spec === '' || spec === '*' ? undefined : spec,
  }
}
