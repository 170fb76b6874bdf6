import type { Budget } from '../budget.ts'
import type { EventOf } from '../events/event.ts'
import { limits } from '../limits.ts'
import { tokensOf } from '../usage.ts'

/** What was said of a budget the last time. */
export type ToldBudget = Pick<Budget, 'scope' | 'unit' | 'period' | 'user' | 'limit' | 'spent'>

/** What counts against a session's budgets, and what people know of it. */
export interface Spending {
  /** Dollars of the requests whose price is known. */
  usd: number
  /** Tokens of all kinds. */
  tokens: number
  /** The last word on each budget, the newest last; those of users who are many are forgotten at some time. */
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

/** Words on budgets that are kept: two of each scope, and those of a session's users. */
const maxTold = 24

/** People were told of a budget. */
export const tell = (before: Spending, { data }: EventOf<'budget.reached'>): Spending => {
  const { scope, unit, period, user, limit, spent } = data
  const others = before.told.filter((told) => !isSame(told, data))
  return { ...before, told: [...others, { scope, unit, period, user, limit, spent }].slice(-maxTold) }
}

/** The last word on a budget, whatever its period was. */
export const toldOf = (
  { told }: Spending,
  wanted: Pick<Budget, 'scope' | 'unit' | 'user'>,
): ToldBudget | undefined => told.find((item) => isSame(item, wanted))

const isSame = (a: Pick<Budget, 'scope' | 'unit' | 'user'>, b: typeof a): boolean =>
  a.scope === b.scope && a.unit === b.unit && a.user === b.user
