import type { UsageReport } from '@berth/contract'
import { expect, it } from 'vitest'
import { plain } from '../terminal/style.ts'
import { renderUsage } from './usage.ts'

const view = { width: 120, style: plain }
const used = (requests: number, costUsd: number, unpriced = 0) => ({
  requests,
  unpriced,
  inputTokens: 1200 * requests,
  outputTokens: 10 * requests,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd,
})
const report: UsageReport = {
  by: 'model',
  from: '2030-01-01',
  to: '2030-01-31',
  items: [
    { key: 'claude-x', ...used(2, 1.5) },
    { key: 'odd\u001b[2J', ...used(1, 0, 1) },
  ],
  total: used(3, 1.5, 1),
  budgets: [],
}

it('shows a group a line, the sum, and what has no price', () => {
  const lines = renderUsage(report, view).split('\n')
  expect(lines[0]).toBe('2030-01-01 to 2030-01-31 (UTC)')
  expect(lines[1]).toMatch(/^MODEL +COST +REQUESTS +INPUT/)
  expect(lines[2]).toMatch(/^claude-x +\$1\.50 +2 +2\.4k +20/)
  expect(lines[3]).toMatch(/^odd␛\[2J +\? +1/)
  expect(lines[4]).toMatch(/^total +\$1\.50 \+ \? +3/)
  expect(lines.at(-1)).toMatch(/^One request went to models whose price is not known/)
})

it('tells what sessions used that are gone', () => {
  const items = [{ key: 'ses_01m855ymq0fmba5kdj51nnmvf3', title: 'Fix it', ...used(1, 0.25) }]
  const text = renderUsage({ ...report, by: 'session', items, total: used(3, 1) }, view)
  expect(text).toMatch(/nnmvf3 {2}Fix it +\$0\.2500/)
  expect(text).toMatch(/\(deleted sessions\) +\$0\.7500 +2/)
  expect(renderUsage({ ...report, by: 'session', items, next: 'c' }, view)).toContain('--all')
})

it('shows how much of each budget is left', () => {
  const budget = { scope: 'session', unit: 'usd', limit: 5, used: 4, remaining: 1, percent: 80 } as const
  const month = {
    scope: 'project',
    unit: 'tokens',
    limit: 1000,
    used: 1200,
    remaining: 0,
    percent: 120,
  } as const
  const text = renderUsage(
    {
      ...report,
      budgets: [
        { ...budget, period: 'session', spent: false },
        { ...month, period: '2030-01', spent: true },
      ],
    },
    view,
  )
  expect(text).toContain('Budget of this session: $4.00 of $5.00 (80%), $1.00 left')
  expect(text).toContain('Budget of the project for 2030-01: 1.2k of 1.0k tokens (120%), spent')
})
