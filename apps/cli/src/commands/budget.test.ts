import { type Budget, platformSettings, type UsageReport } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAgainst } from '../test-context.ts'
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

const run = (...args: string[]) => runAgainst(fake.url, args)

test('shows the budgets of a project, and how far each of its users is', async () => {
  fake.answers.getProjectUsage = report
  const { code, out } = await run('budget', '-p', 'web')
  expect(code).toBe(0)
  expect(out).toMatch(/ada for 2030-01 +\$2\.00 of \$10\.00 +20% +\$8\.00/)
  expect(out).toMatch(/bob for 2030-01 +\$12\.00 of \$10\.00 +120% +spent/)
})

test('says how to set one where there is none', async () => {
  fake.answers.getProjectUsage = { ...report, budgets: [] }
  const { out } = await run('budget', 'show')
  expect(out).toContain('budget set day 100')
})

test('sets a budget of a scope, in dollars or tokens', async () => {
  expect((await run('budget', 'set', 'user', '50')).out).toContain('Changed userBudgetUsd')
  const tokens = await run('budget', 'set', 'day', '2M', '--tokens')
  expect(tokens.out).toContain('Changed dayBudgetTokens')
  const wrong = await run('budget', 'set', 'team', '5')
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('Allowed choices are session')])
})

test('tells how each key of a model provider did, and fails when one does not work', async () => {
  fake.answers.testModelProvider = {
    ...{ provider: 'anthropic', asked: 'claude-a', ok: false, models: ['claude-a', 'claude-b'] },
    keys: [
      { name: 'one', ok: true, model: 'claude-a-1', latencyMs: 120, status: 200 },
      { name: 'two', ok: false, latencyMs: 9, status: 401, message: 'Unknown key.', advice: 'Set it anew.' },
    ],
  }
  const { code, out } = await run('project', 'test-model', 'web')
  expect(code).not.toBe(0)
  expect(out).toContain('one: claude-a-1 answered in 120 ms')
  expect(out).toMatch(/two: Unknown key\. \(401\)\n +Set it anew\./)
  expect(out).toContain('It lists: claude-a, claude-b')
})
