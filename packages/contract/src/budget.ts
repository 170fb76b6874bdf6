import { z } from 'zod'

/**
 * What a budget limits: a session over its whole life, a user of a project per month, a project per day, a project per
 * month. A user is whoever sent the prompt of a turn, whoever owns the session.
 */
export const budgetScopes = ['session', 'user', 'day', 'project'] as const
export const budgetScope = z.enum(budgetScopes)
export const budgetUnit = z.enum(['usd', 'tokens'])

export type BudgetScope = z.infer<typeof budgetScope>
export type BudgetUnit = z.infer<typeof budgetUnit>

/** The settings that set the limits. */
export const budgetSettings = {
  session: { usd: 'budgetUsd', tokens: 'budgetTokens' },
  user: { usd: 'userBudgetUsd', tokens: 'userBudgetTokens' },
  day: { usd: 'dayBudgetUsd', tokens: 'dayBudgetTokens' },
  project: { usd: 'projectBudgetUsd', tokens: 'projectBudgetTokens' },
} as const satisfies Record<BudgetScope, Record<BudgetUnit, string>>

export type BudgetSetting = (typeof budgetSettings)[BudgetScope][BudgetUnit]

/** What a budget counts: `session`, its whole life; a month (UTC) such as `2030-01`; or a day such as `2030-01-31`. */
const period = z.string().max(10)

/** The period of a scope at a time (ISO 8601, UTC). */
export const periodOf = (scope: BudgetScope, at: string): string =>
  scope === 'session' ? 'session' : at.slice(0, scope === 'day' ? 10 : 7)

/** Which budget is meant. */
export const budgetName = z.object({
  scope: budgetScope,
  unit: budgetUnit,
  period,
  /** Whose, of the scope `user`. */
  user: z.string().max(200).optional(),
})

/** A budget and how far it is used. */
export const budget = budgetName.extend({
  limit: z.number().positive(),
  used: z.number().nonnegative(),
  remaining: z.number().nonnegative(),
  /** Of the limit; more than 100 when answers that were under way went beyond it. */
  percent: z.number().nonnegative(),
  /** Nothing is left. */
  spent: z.boolean(),
})

export type Budget = z.infer<typeof budget>

/** Whose budget it is and for how long, in words: `this session`, `ada for 2030-01`, `the project for 2030-01-31`. */
export const budgetOwner = ({ scope, period, user }: Pick<Budget, 'scope' | 'period' | 'user'>): string => {
  if (scope === 'session') return 'this session'
  return `${scope === 'user' ? (user ?? 'a user') : 'the project'} for ${period}`
}
