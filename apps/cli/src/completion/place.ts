import type { Argument, Command, Option } from 'commander'

/** What is to be completed at the end of a command line. */
export type Place =
  | { kind: 'command'; of: Command }
  | { kind: 'option'; of: Command }
  | { kind: 'value'; of: Command; option: Option }
  | { kind: 'argument'; of: Command; argument: Argument }
  | { kind: 'nothing' }

export interface Found {
  place: Place
  /** What is typed of it so far. */
  typed: string
  /** What stands before it in the same word, as in `--format=js`. */
  lead: string
  /** Values of options that were given, by their attribute name. */
  given: Map<string, string>
}

/**
 * Where the last word stands. Words are what a shell gives: without the program's name, the last one unfinished. Bash
 * takes `--format=js` apart into three.
 */
export const placeOf = (program: Command, words: readonly string[]): Found => {
  const [before, current] = [joined(words.slice(0, -1)), words.at(-1) ?? '']
  const typed = current === '=' ? '' : current
  const given = new Map<string, string>()
  let command = program
  let position = 0
  let onlyArguments = false
  for (let i = 0; i < before.length; i++) {
    const word = before[i] ?? ''
    if (!onlyArguments && word === '--') onlyArguments = true
    else if (!onlyArguments && word.startsWith('-') && word !== '-') {
      const [name = '', value] = word.split(/=(.*)/s)
      const option = optionOf(command, name)
      if (option === undefined || !takesValue(option)) {
        if (option !== undefined) given.set(option.attributeName(), 'true')
        continue
      }
      // The value is what is being typed.
      if (value === undefined && i === before.length - 1)
        return { place: { kind: 'value', of: command, option }, typed, lead: '', given }
      given.set(option.attributeName(), value ?? before[++i] ?? '')
    } else {
      const child = position === 0 ? childOf(command, word) : undefined
      if (child === undefined) position++
      else command = child
    }
  }
  const at = (place: Place, part = typed, lead = ''): Found => ({ place, typed: part, lead, given })
  if (!onlyArguments && typed.startsWith('-')) {
    const [name = '', part] = typed.split(/=(.*)/s)
    const option = optionOf(command, name)
    if (part === undefined) return at({ kind: 'option', of: command })
    if (option === undefined || !takesValue(option)) return at({ kind: 'nothing' })
    return at({ kind: 'value', of: command, option }, part, `${name}=`)
  }
  if (position === 0 && command.commands.length > 0) return at({ kind: 'command', of: command })
  const { registeredArguments: all } = command
  const last = all.at(-1)
  const argument = all[position] ?? (last?.variadic === true ? last : undefined)
  return at(argument === undefined ? { kind: 'nothing' } : { kind: 'argument', of: command, argument })
}

/** `--format`, `=`, `js` as one word again; a `=` at the end belongs to what is being typed. */
const joined = (words: readonly string[]): string[] => {
  const whole: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const last = whole.at(-1)
    if (word !== '=' || last?.startsWith('--') !== true || last.includes('=')) whole.push(word)
    else if (i + 1 < words.length) whole[whole.length - 1] = `${last}=${words[++i]}`
  }
  return whole
}

const takesValue = (option: Option): boolean => option.required || option.optional

const optionOf = (command: Command, name: string): Option | undefined =>
  command.options.find((option) => option.long === name || option.short === name)

const childOf = (command: Command, name: string): Command | undefined =>
  command.commands.find((child) => child.name() === name || child.aliases().includes(name))
