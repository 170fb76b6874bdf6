import type { StoredLogLine } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { testContext } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
  const context = testContext(fake.url)
  await runCli(['run', '--detach', 'Hello'], context)
})
afterEach(() => fake.close())

const line = (n: number, more: Partial<StoredLogLine> = {}): StoredLogLine => ({
  n,
  generation: 1,
  at: '2026-01-31T14:05:09.000Z',
  source: 'runner',
  level: 'info',
  text: `line ${n}`,
  ...more,
})

test('shows lines with time and source; what would drive the terminal is made visible', async () => {
  const items = [line(1), line(2, { source: 'agent', level: undefined, text: 'a\u001b[2Jb' })]
  fake.answers.listLogs = { items, cursor: 2, more: false }
  const context = testContext(fake.url)
  expect(await runCli(['logs', 'last', '--source', 'agent', '-n', '50'], context)).toBe(0)
  expect(context.stdout()).toMatch(/^2026-01-31 \d\d:05:09 runner info line 1\n/)
  expect(context.stdout()).toMatch(/agent {2}a␛\[2Jb\n$/)
})

test('follows until Ctrl-C', async () => {
  fake.answers.listLogs = { items: [line(1)], cursor: 1, more: false }
  const context = testContext(fake.url)
  const done = runCli(['logs', 'last', '--follow', '--json'], context)
  await context.written('"n":1')
  fake.answers.listLogs = { items: [line(2)], cursor: 2, more: false }
  await context.written('"n":2')
  context.interrupt()
  expect(await done).toBe(0)
})

test.each([
  [['logs', 'last', '-n', '0'], 'expected a whole number, 1 to 2000'],
  [['logs', 'last', '-n', 'many'], 'expected a whole number'],
  [['logs', 'last', '--source', 'door'], 'Allowed choices are runner, agent'],
])('refuses %j', async (args, message) => {
  const context = testContext(fake.url)
  expect(await runCli(args, context)).toBe(2)
  expect(context.stderr()).toContain(message)
})
