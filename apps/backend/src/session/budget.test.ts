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

  it('of a project begin anew with the month', () => {
    const project = at.spending({ projectBudgetUsd: 3 }, { usd: 4 })
    const [now] = budgetsOf(state(0), project, '2030-01-31T23:59:59.999Z')
    expect(now).toMatchObject({ period: '2030-01', used: 4, remaining: 0, percent: 133.3, spent: true })
    const [next] = budgetsOf(state(0), project, '2030-02-01T00:00:00.000Z')
    expect(next).toMatchObject({ period: '2030-02', used: 0, spent: false })
  })

  it('say what is spent and which command raises them', () => {
    const session = { id: 'ses_01k11111111111111111abcdef', project: 'web' }
    const one = { limit: 2, used: 2.16, remaining: 0, percent: 108, spent: true }
    expect(explainSpent({ scope: 'session', unit: 'usd', period: 'session', ...one }, session)).toBe(
      'The budget of this session is spent: $2.16 of $2.00. Raise it, then go on: berth settings abcdef -p web budgetUsd=4.3 && berth resume abcdef -p web',
    )
    const month = {
      scope: 'project',
      unit: 'tokens',
      period: '2030-01',
      ...one,
      limit: 100,
      used: 140,
    } as const
    expect(explainSpent(month, { ...session, project: 'default' })).toBe(
      'The budget of project default for 2030-01 (UTC) is spent: 140 of 100 tokens. Raise it, or wait for the next month; then go on: berth project set default projectBudgetTokens=280 && berth resume abcdef',
    )
  })
})
