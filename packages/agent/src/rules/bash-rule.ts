import { everyCommand, readBashCommand } from './bash-command.ts'
import { fitsWildcard } from './wildcard.ts'

/** Whether one simple command fits a spec: exact, `prefix:*`, or with `*` for any characters. */
const fitsPart = (spec: string, part: string): boolean => {
  if (spec.endsWith(':*')) {
    const prefix = spec.slice(0, -2).trimEnd()
    return part === prefix || part.startsWith(`${prefix} `)
  }
  // `ls *` also means `ls` alone, as in Claude Code.
  return fitsWildcard(spec, part) || (spec.endsWith(' *') && part === spec.slice(0, -2))
}

/** Whether rules that forbid or ask concern a command: one of its commands is enough. */
export const concernsBash = (spec: string, command: string): boolean =>
  command.trim() === spec || everyCommand(command).some((part) => fitsPart(spec, part))

/**
 * The specs that together allow a command, or undefined. A spec equal to the whole command allows it whatever it holds;
 * otherwise every part needs a spec that fits, and the command must be plain.
 */
export const allowsBash = (specs: readonly string[], command: string): string | undefined => {
  const exact = specs.find((spec) => spec === command.trim())
  if (exact !== undefined) return exact
  const { parts, plain } = readBashCommand(command)
  if (!plain || parts.length === 0) return undefined
  const found = parts.map((part) => specs.find((spec) => fitsPart(spec, part)))
  return found.every((spec) => spec !== undefined) ? found[0] : undefined
}
