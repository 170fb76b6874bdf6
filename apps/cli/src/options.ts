import { type Command, InvalidArgumentError, Option } from 'commander'

/** `--project`, which most commands take. */
export const projectOption = (): Option =>
  new Option('-p, --project <name>', 'project').env('BERTH_PROJECT').default('default')

/** `--verbose`, of commands that show a session as it goes on. */
export const verboseOption = (): Option =>
  new Option('-v, --verbose', 'also what is seldom of interest: checkpoints, usage, background work')

export const jsonOption = (what: string): Option =>
  new Option('--json', `print ${what}, one JSON object a line`)

export interface ProjectOptions {
  project: string
}

export interface JsonOptions {
  json?: boolean
}

/** Adds a value of a repeatable option. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value]

/** Adds `key=value` to a map. */
export const collectLabel = (
  value: string,
  before: Record<string, string> | undefined,
): Record<string, string> => {
  const at = value.indexOf('=')
  if (at <= 0) throw new InvalidArgumentError('expected key=value.')
  return { ...before, [value.slice(0, at)]: value.slice(at + 1) }
}

/** A whole number between two others. */
export const wholeNumber =
  (min: number, max: number) =>
  (value: string): number => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new InvalidArgumentError(`expected a whole number, ${min} to ${max}.`)
    return number
  }

export const portNumber = (value: string): number => {
  const port = Number(value)
  if (!/^\d+$/.test(value) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('expected a port, 1 to 65535.')
  return port
}

/** Text at the end of a command's help. */
export const examples = (command: Command, lines: readonly string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
