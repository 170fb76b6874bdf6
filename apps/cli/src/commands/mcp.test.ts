import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { testContext } from '../test-context.ts'
import { type FakeBackend, playTurn, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
  fake.onPrompt = (session, prompt, seq) => {
    for (const status of ['pending', 'connected'] as const)
      fake.append(session, {
        type: 'agent.mcp',
        data: { servers: [{ name: 'docs', status, origin: 'settings', tools: [{ name: 'search' }] }] },
      })
    playTurn(fake, { session, prompt, seq }, { text: ['Done.'] })
  }
  await runCli(['run', 'Hello'], testContext(fake.url))
})
afterEach(() => fake.close())

test('shows what the log says last', async () => {
  const context = testContext(fake.url)
  expect(await runCli(['mcp', 'last'], context)).toBe(0)
  expect(context.stdout()).toMatch(/^connected {2}docs\n +search\n$/)
})

test('as JSON', async () => {
  const context = testContext(fake.url)
  expect(await runCli(['mcp', 'last', '--json'], context)).toBe(0)
  expect(JSON.parse(context.stdout())).toMatchObject([{ name: 'docs', status: 'connected' }])
})

test('the place of a workflow needs its repository', async () => {
  const context = testContext(fake.url)
  expect(await runCli(['run', '--workflow-path', 'review', 'Hello'], context)).toBe(2)
  expect(context.stderr()).toContain('--workflow')
})
