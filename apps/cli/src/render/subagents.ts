import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { fit } from '../terminal/width.ts'

const longestName = 24

/** Tells whose the blocks of subagents are: what they say stands indented, with the agent's name. */
export interface Subagents {
  /** A tool is used; in it a subagent may work. */
  began(toolUse: string, parent: string | undefined): void
  /** Its input is known, and in it the agent's name. */
  called(toolUse: string, input: string): void
  ended(toolUse: string): void
  /** What a line of the subagent in this tool use begins with; nothing for the agent itself. */
  lead(parent: string | undefined): string
}

export const createSubagents = (style: Style): Subagents => {
  const known = new Map<string, { name: string; parent: string | undefined }>()
  const depthOf = (toolUse: string | undefined, seen = 0): number =>
    toolUse === undefined || seen > 8 ? 0 : 1 + depthOf(known.get(toolUse)?.parent, seen + 1)
  return {
    began: (toolUse, parent) => void known.set(toolUse, { name: '', parent }),
    called: (toolUse, input) => {
      const entry = known.get(toolUse)
      if (entry !== undefined) entry.name = nameIn(input)
    },
    ended: (toolUse) => void known.delete(toolUse),
    lead: (parent) => {
      if (parent === undefined) return ''
      const name = known.get(parent)?.name ?? ''
      const indent = '  '.repeat(depthOf(parent))
      return name === '' ? indent : `${indent}${style.magenta(name)} `
    },
  }
}

const nameIn = (input: string): string => {
  try {
    const { subagent_type: type, description } = JSON.parse(input)
    const name = [type, description].find((value) => typeof value === 'string' && value.trim() !== '')
    return fit(safeLine(name ?? ''), longestName)
  } catch {
    return ''
  }
}
