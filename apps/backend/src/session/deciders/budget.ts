import { BerthError, type Budget, limits, preview, tokensOf, toldOf } from '@berth/contract'
import { budgetsOf, explainSpent, type ProjectSpending, type SharedScope, warnPercent } from '../budget.ts'
import { backendActor, type Deciders, type Draft } from './draft.ts'
import { hold } from './turn-flow.ts'

/** What the gateway metered, and what that does to budgets. */
export const budgetDeciders: Deciders<'usage' | 'budget'> = {
  usage: (log, { actor, data, spending }) => {
    const { models } = log.current.spending
    const named = models.includes(data.model) || models.length < limits.models
    log.add(actor, { type: 'model.usage', data: { ...data, model: named ? data.model : 'other' } })
    if (spending === undefined) return
    const budgets = budgetsOf(log.current, withThis(spending, data), log.context.at)
    if (data.costUsd === null && budgets.some(({ unit }) => unit === 'usd')) tellUnpriced(log, data.model)
    tellReached(log, budgets, warnPercent(log.current, spending))
  },
  budget: (log, { generation, spending }) => {
    const { live, summary } = log.current
    if (!live || generation !== summary.generation) return
    const budgets = budgetsOf(log.current, spending, log.context.at)
    const spent = budgets.find((budget) => budget.spent)
    if (spent === undefined) return
    tellReached(log, budgets, warnPercent(log.current, spending))
    if (summary.turn !== undefined) hold(log, 'budget', explainSpent(spent, summary))
  },
}

/** Refuses what would ask the model again while nothing is left. */
export const refuseSpent = (log: Draft, spending: ProjectSpending | undefined): void => {
  if (spending === undefined) return
  const spent = budgetsOf(log.current, spending, log.context.at).find((budget) => budget.spent)
  if (spent !== undefined) throw new BerthError('budget_spent', explainSpent(spent, log.current.summary))
}

/** What was used by now: what was read before the request was counted, and the request, in every scope. */
const withThis = (
  { used, ...rest }: ProjectSpending,
  data: { costUsd: number | null } & Parameters<typeof tokensOf>[0],
): ProjectSpending => {
  const more = Object.entries(used).map(([scope, { usd, tokens }]) => [
    scope,
    { usd: usd + (data.costUsd ?? 0), tokens: tokens + tokensOf(data) },
  ])
  return {
    ...rest,
    used: Object.fromEntries(more) as Partial<Record<SharedScope, { usd: number; tokens: number }>>,
  }
}

/** Each budget once per limit and period: at the percentage, and when nothing is left. */
const tellReached = (log: Draft, budgets: Budget[], warnAt: number): void => {
  for (const { remaining: _, percent, ...budget } of budgets) {
    const { limit, period, spent } = budget
    if (!spent && percent < warnAt) continue
    const told = toldOf(log.current.spending, budget)
    const known = told?.limit === limit && told.period === period
    if (known && (told.spent || !spent)) continue
    log.add(backendActor, { type: 'budget.reached', data: budget })
  }
}

const tellUnpriced = (log: Draft, model: string): void => {
  if (log.current.spending.unpriced) return
  const message = `The price of the model ${model} is not known, so its requests do not count against a budget in dollars. Limit them with budgetTokens, or give its price in the file that BERTH_PRICES names.`
  log.add(backendActor, {
    type: 'session.notice',
    data: { level: 'warning', about: 'no-price', message: preview(message, limits.message) },
  })
}
