import type { z } from 'zod'
import type { budgetScope, budgetUnit } from '../budget.ts'
import type { EventOf } from '../events/event.ts'
import { limits } from '../limits.ts'
import { tokensOf } from '../usage.ts'

/** What was said of a budget the last time. */
export interface ToldBudget {
  scope: z.infer<typeof budgetScope>
  unit: z.infer<typeof budgetUnit>
  limit: number
  spent: boolean
  /** When (UTC), such as `2030-01`: a project's budget begins anew each month. */
  month: string
}

/** What counts against a session's budgets, and what people know of it. */
export interface Spending {
  /** Dollars of the requests whose price is known. */
  usd: number
  /** Tokens of all kinds. */
  tokens: number
  /** The last word on each budget. */
  told: ToldBudget[]
  /** People know that a model without a price is used. */
  unpriced: boolean
  /** The models that were asked; no more than `limits.models`. */
  models: string[]
}

export const noSpending: Spending = { usd: 0, tokens: 0, told: [], unpriced: false, models: [] }

/** A request was metered. */
export const spend = (before: Spending, data: EventOf<'model.usage'>['data']): Spending => ({
  ...before,
  usd: before.usd + (data.costUsd ?? 0),
  tokens: before.tokens + tokensOf(data),
  models:
    before.models.includes(data.model) || before.models.length >= limits.models
      ? before.models
      : [...before.models, data.model],
})

/** People were told of a budget. */
export const tell = (before: Spending, { data, at }: EventOf<'budget.reached'>): Spending => {
  const { scope, unit, limit, spent } = data
  const others = before.told.filter((told) => told.scope !== scope || told.unit !== unit)
  return { ...before, told: [...others, { scope, unit, limit, spent, month: at.slice(0, 7) }] }
}
