import type { UsageReport } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
})
afterEach(() => fake.close())

const sum = {
  requests: 1,
  unpriced: 0,
  inputTokens: 1,
  outputTokens: 1,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0.5,
}
const report: UsageReport = {
  by: 'day',
  from: '2030-01-01',
  to: '2030-01-02',
  items: [{ key: '2030-01-02', ...sum }],
  total: sum,
  budgets: [],
}

const run = (...args: string[]) => runAgainst(fake.url, ['usage', ...args])

test('shows a project’s usage', async () => {
  fake.answers.getProjectUsage = report
  const { code, out } = await run('-p', 'web', '--by', 'day', '--from', '2030-01-01')
  expect(code).toBe(0)
  expect(out).toContain('2030-01-02')
  expect(fake.requests.at(-1)).toContain('/api/projects/web/usage')
})

test('shows a session’s usage as JSON', async () => {
  fake.answers.getSessionUsage = report
  await runAgainst(fake.url, ['run', '--detach', 'Hello'])
  const { code, out } = await run('last', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual(report)
})

test.each([
  [['--from', 'yesterday'], 'expected a day such as 2030-01-31'],
  [['--to', '2030-02-31'], 'expected a day'],
  [['--by', 'colour'], 'Allowed choices are'],
  [['last', '--by', 'user'], 'by model or day, not by user'],
])('refuses %j', async (args, message) => {
  const { code, err } = await run(...args)
  expect(code).toBe(2)
  expect(err).toContain(message)
})
