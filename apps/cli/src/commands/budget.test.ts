import { type Budget, platformSettings, type UsageReport } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { testContext } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
  const settings = { version: 1, own: {}, effective: platformSettings, origins: {} }
  Object.assign(fake.answers, { getProjectSettings: settings, updateProjectSettings: settings })
})
afterEach(() => fake.close())

const sum = {
  requests: 1,
  unpriced: 0,
  inputTokens: 1,
  outputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
}
const mine: Budget = {
  ...{ scope: 'user', unit: 'usd', period: '2030-01', user: 'ada' },
  ...{ limit: 10, used: 2, remaining: 8, percent: 20, spent: false },
}
const report: UsageReport = {
  ...{ by: 'user', from: '2030-01-01', to: '2030-01-31' },
  items: [
    { key: 'ada', ...sum, costUsd: 2 },
    { key: 'bob', ...sum, costUsd: 12 },
  ],
  total: { ...sum, costUsd: 14 },
  budgets: [mine],
}

const run = async (...args: string[]) => {
  const context = testContext(fake.url)
  return { code: await runCli(args, context), context }
}

test('shows the budgets of a project, and how far each of its users is', async () => {
  fake.answers.getProjectUsage = report
  const { code, context } = await run('budget', '-p', 'web')
  expect(code).toBe(0)
  expect(context.stdout()).toMatch(/ada for 2030-01 +\$2\.00 of \$10\.00 +20% +\$8\.00/)
  expect(context.stdout()).toMatch(/bob for 2030-01 +\$12\.00 of \$10\.00 +120% +spent/)
})

test('says how to set one where there is none', async () => {
  fake.answers.getProjectUsage = { ...report, budgets: [] }
  const { context } = await run('budget', 'show')
  expect(context.stdout()).toContain('budget set day 100')
})

test('sets a budget of a scope, in dollars or tokens', async () => {
  expect((await run('budget', 'set', 'user', '50')).context.stdout()).toContain('Changed userBudgetUsd')
  const tokens = await run('budget', 'set', 'day', '2M', '--tokens')
  expect(tokens.context.stdout()).toContain('Changed dayBudgetTokens')
  const wrong = await run('budget', 'set', 'team', '5')
  expect([wrong.code, wrong.context.stderr()]).toEqual([
    2,
    expect.stringContaining('Allowed choices are session'),
  ])
})

test('tells how each key of a model provider did, and fails when one does not work', async () => {
  fake.answers.testModelProvider = {
    ...{ provider: 'anthropic', asked: 'claude-a', ok: false, models: ['claude-a', 'claude-b'] },
    keys: [
      { name: 'one', ok: true, model: 'claude-a-1', latencyMs: 120, status: 200 },
      { name: 'two', ok: false, latencyMs: 9, status: 401, message: 'Unknown key.', advice: 'Set it anew.' },
    ],
  }
  const { code, context } = await run('project', 'test-model', 'web')
  expect(code).not.toBe(0)
  expect(context.stdout()).toContain('one: claude-a-1 answered in 120 ms')
  expect(context.stdout()).toMatch(/two: Unknown key\. \(401\)\n +Set it anew\./)
  expect(context.stdout()).toContain('It lists: claude-a, claude-b')
})
