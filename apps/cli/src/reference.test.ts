import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { buildProgram } from './program.ts'
import { renderReference } from './reference.ts'
import { testContext } from './test-context.ts'

const program = buildProgram(testContext('http://127.0.0.1:1'))

test('docs/reference/cli.md is current', async () => {
  const file = join(import.meta.dirname, '..', '..', '..', 'docs', 'reference', 'cli.md')
  await expect(renderReference(program)).toMatchFileSnapshot(file)
})

const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)]

test('every command and option says what it is', () => {
  for (const command of every(program)) {
    expect(command.description(), command.name()).not.toBe('')
    for (const option of command.options)
      expect(option.description, `${command.name()} ${option.flags}`).not.toBe('')
  }
})
