import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { buildProgram } from './program.ts'
import { testContext } from './test-context.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const guide = readdirSync(join(root, 'docs', 'guide')).map((name) => join('docs', 'guide', name))
const pages = ['README.md', join('packages', 'client', 'README.md'), ...guide]

/** The command lines of a page's code blocks that call `berth`, without comments. */
const commandLines = (page: string): string[] => {
  const blocks = readFileSync(join(root, page), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm)
  const lines = [...blocks].flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
  return lines.flatMap(berthIn)
}

/** The call of `berth` in a line of shell: at its beginning, in a pipe, or in a substitution. */
const berthIn = (line: string): string[] => {
  const inner = /^source <\((.*?)\)/.exec(line)?.[1] ?? line
  return /(?:^|\| |&& )(?:npx )?(berth .*)$/.exec(inner)?.slice(1) ?? []
}

/** Words as a shell makes them: quotes, and comments and files at the end. */
const wordsOf = (line: string): string[] => {
  const words = [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word)
  const comment = words.findIndex((word) => ['#', '&&', '>', '<'].includes(word))
  return words.slice(0, comment === -1 ? undefined : comment).map((word) => word.replace(/["']/g, ''))
}

const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)]

/** Parses a line with the real commands, none of which does anything. */
const parse = async (line: string): Promise<string | undefined> => {
  const context = testContext('http://unused')
  const program = buildProgram(context)
  let ran: string | undefined
  for (const command of everyCommand(program)) {
    command.exitOverride()
    if (command.commands.length === 0)
      command.action(() => {
        ran = command.name()
      })
  }
  await program.parseAsync(wordsOf(line).slice(1), { from: 'user' }).catch((error: Error) => {
    throw new Error(`${line}: ${error.message}`)
  })
  return ran
}

describe.each(pages)('%s', (page) => {
  test('every berth command in it is one, with options that it has', async () => {
    for (const line of commandLines(page)) expect(await parse(line), line).toBeDefined()
  })
})

test('every example of a help text is one', async () => {
  const context = testContext('http://unused')
  const examples = everyCommand(buildProgram(context)).flatMap((command) => {
    const parts: string[] = []
    command.configureOutput({ writeOut: (part) => parts.push(part) }).outputHelp()
    return (parts.join('').split('\nExamples:\n')[1] ?? '')
      .split('\n')
      .flatMap((line) => berthIn(line.trim()))
  })
  expect(examples.length).toBeGreaterThan(20)
  for (const line of examples) expect(await parse(line), line).toBeDefined()
})

test('a line that is none is found', async () => {
  await expect(parse('berth ls --nothing')).rejects.toThrow('unknown option')
  await expect(parse('berth fly')).rejects.toThrow('unknown command')
  expect(commandLines('README.md').length).toBeGreaterThan(3)
})
