import { describe, expect, it } from 'vitest'
import { budgetsOf, explainSpent } from './budget.ts'
import * as at from './fixtures/situations.ts'

const state = (usd: number, settings = {}) => ({
  settings,
  spending: { usd, tokens: 10, told: [], unpriced: false, models: [] },
})

describe('budgets', () => {
  it('are none where nobody sets one', () => {
    expect(budgetsOf(state(5), at.spending({}), at.at)).toEqual([])
  })

  it('take the session’s limit before its project’s', () => {
    const project = at.spending({ budgetUsd: 1, budgetTokens: 100 })
    expect(budgetsOf(state(2, { budgetUsd: 4 }), project, at.at)).toEqual([
      {
        scope: 'session',
        unit: 'usd',
        limit: 4,
        used: 2,
        remaining: 2,
        percent: 50,
        period: 'session',
        spent: false,
      },
      {
        scope: 'session',
        unit: 'tokens',
        limit: 100,
        used: 10,
        remaining: 90,
        percent: 10,
        period: 'session',
        spent: false,
      },
    ])
  })

  it.each([
    ['project', 'projectBudgetUsd', '2030-01', '2030-01-31T23:59:59.999Z', '2030-02'],
    ['day', 'dayBudgetUsd', '2030-01-01', '2030-01-01T23:59:59.999Z', '2030-01-02'],
    ['user', 'userBudgetUsd', '2030-01', '2030-01-31T23:59:59.999Z', '2030-02'],
  ] as const)('of the scope %s begin anew with their period', (scope, setting, period, last, next) => {
    const project = at.spending({ [setting]: 3 }, {}, { [scope]: { usd: 4, tokens: 0 } })
    const user = scope === 'user' ? { user: 'ada' } : {}
    const now = budgetsOf(state(0), project, last)
    expect(now).toMatchObject([
      { scope, period, ...user, used: 4, remaining: 0, percent: 133.3, spent: true },
    ])
    const [then] = budgetsOf(state(0), project, `${next}${next.length === 7 ? '-01' : ''}T00:00:00.000Z`)
    expect(then).toMatchObject({ period: next, used: 0, spent: false })
  })

  it('of the scopes count side by side, each with what it counts', () => {
    const limits = { budgetUsd: 1, userBudgetUsd: 2, dayBudgetUsd: 3, projectBudgetUsd: 4 }
    const used = { user: { usd: 0.2, tokens: 0 }, day: { usd: 0.3, tokens: 0 } }
    const budgets = budgetsOf(state(0.1), at.spending(limits, { usd: 0.4 }, used), at.at)
    expect(budgets.map(({ scope, limit, used }) => [scope, limit, used])).toEqual([
      ['session', 1, 0.1],
      ['user', 2, 0.2],
      ['day', 3, 0.3],
      ['project', 4, 0.4],
    ])
  })

  it('say what is spent and which command raises them', () => {
    const session = { id: 'ses_01k11111111111111111abcdef', project: 'web' }
    const one = { limit: 2, used: 2.16, remaining: 0, percent: 108, spent: true }
    expect(explainSpent({ scope: 'session', unit: 'usd', period: 'session', ...one }, session)).toBe(
      'The budget of this session is spent: $2.16 of $2.00. Raise it, then go on: berth settings abcdef -p web budgetUsd=4.3 && berth resume abcdef -p web',
    )
    const many = { ...one, unit: 'tokens', limit: 100, used: 140 } as const
    const here = { ...session, project: 'default' }
    expect(explainSpent({ scope: 'project', period: '2030-01', ...many }, here)).toBe(
      'The budget of project default for 2030-01 (UTC) is spent: 140 of 100 tokens. Raise it, or wait for the next month; then go on: berth project set default projectBudgetTokens=280 && berth resume abcdef',
    )
    expect(explainSpent({ scope: 'day', period: '2030-01-31', ...many }, here)).toBe(
      'The budget of project default for 2030-01-31 (UTC) is spent: 140 of 100 tokens. Raise it, or wait for the next day; then go on: berth project set default dayBudgetTokens=280 && berth resume abcdef',
    )
    expect(explainSpent({ scope: 'user', unit: 'usd', period: '2030-01', user: 'ada', ...one }, here)).toBe(
      'The budget of ada in project default for 2030-01 (UTC) is spent: $2.16 of $2.00. Raise it for every user of the project, or wait for the next month; then go on: berth project set default userBudgetUsd=4.3 && berth resume abcdef',
    )
  })
})
