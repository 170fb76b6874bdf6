import type { Command } from 'commander'
import { exitCodes } from './exit-code.ts'
import { environmentHelp } from './program.ts'

/** The reference of the command line as Markdown, from the commands themselves. */
export const renderReference = (program: Command): string => {
  const exits = Object.values(exitCodes).map(({ code, meaning }) => `| ${code} | ${meaning} |`)
  const environment = environmentHelp.map(([name, meaning]) => `| \`${name}\` | ${meaning} |`)
  return `${[
    '# The command line',
    'Made from the commands by `apps/cli/src/reference.ts`; a test keeps it current (`vitest run apps/cli -u` writes it).',
    'A session is named by its full id, by a unique beginning or end of it (lists show the last characters), or by `last`.',
    'With `--json` every command prints one JSON object a line, and an error is one object on standard error. A session that the scripted model answers, or that runs without a sandbox, is labelled so wherever it is shown.',
    '## Exit codes',
    ['| code | meaning |', '| --- | --- |', ...exits].join('\n'),
    'When `berth serve` started a backend that failed, it passes the backend’s own exit code on.',
    '## Environment',
    ['| variable | meaning |', '| --- | --- |', ...environment].join('\n'),
    ...groupsOf(program).flatMap(([title, commands]) => [
      `## ${title}`,
      ...commands.flatMap((command) => renderCommand(command, 'berth')),
    ]),
  ].join('\n\n')}\n`
}

const renderCommand = (command: Command, parent: string): string[] => {
  const name = `${parent} ${command.name()}`
  const own = [`### \`${name}${signature(command)}\``, command.description(), ...table(command)]
  return [...own, ...visible(command).flatMap((child) => renderCommand(child, name))]
}

const signature = (command: Command): string =>
  command.registeredArguments
    .map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`
      return argument.required ? ` <${name}>` : ` [${name}]`
    })
    .join('')

const table = (command: Command): string[] => {
  const options = command.options.filter((option) => !option.hidden)
  if (options.length === 0) return []
  const rows = options.map((option) => {
    const value: unknown = option.defaultValue
    const origin =
      option.envVar === undefined ? '' : ` (default: \`${option.envVar}\`, else ${String(value)})`
    return `| \`${option.flags}\` | ${inCell(option.description)}${origin} |`
  })
  return [['| option | meaning |', '| --- | --- |', ...rows].join('\n')]
}

const inCell = (text: string): string => text.replaceAll('|', '\\|')

const visible = (command: Command): Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help')

/** The groups of the help, with their commands. */
const groupsOf = (program: Command): [string, Command[]][] => {
  const groups = new Map<string, Command[]>()
  for (const command of visible(program)) {
    const title = command.helpGroup().replace(/:$/, '')
    groups.set(title, [...(groups.get(title) ?? []), command])
  }
  return [...groups]
}
