import { type Budget, budgetOwner, type UsageReport, type UsageSum } from '@berth/contract'
import { shortId } from '../session-ref.ts'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { budgetText, thousands } from './amounts.ts'
import { renderTable } from './table.ts'

type Item = UsageReport['items'][number]

const titles = {
  session: 'SESSION',
  model: 'MODEL',
  day: 'DAY',
  user: 'USER',
  project: 'PROJECT',
} as const

/** What was used, a group a line, with the sum and the budgets. */
export const renderUsage = (
  { by, from, to, items, next, total, budgets }: UsageReport,
  { width, style }: { width: number; style: Style },
): string => {
  const columns = [
    { title: titles[by], shrinks: true, min: 12 },
    { title: 'COST', right: true },
    { title: 'REQUESTS', right: true },
    { title: 'INPUT', right: true },
    { title: 'OUTPUT', right: true },
    { title: 'CACHE READ', right: true },
    { title: 'CACHE WRITE', right: true },
  ]
  const rows = items.map((item) => cells(nameOf(by, item), item))
  const rest = next === undefined && by === 'session' ? restOf(items, total) : undefined
  if (rest !== undefined) rows.push(cells('(deleted sessions)', rest))
  rows.push(cells('total', total, style.bold))
  const days = from === to ? from : `${from} to ${to}`
  return [
    style.dim(`${days} (UTC)`),
    renderTable({ columns, rows }, { width, style }),
    ...(next === undefined ? [] : [style.dim('There is more: --all shows it.')]),
    ...(total.unpriced === 0 ? [] : ['', style.yellow(unpricedText(total.unpriced))]),
    ...(budgets.length === 0 ? [] : ['', ...budgets.map((budget) => budgetLine(budget, style))]),
  ].join('\n')
}

const nameOf = (by: UsageReport['by'], { key, title }: Item): string =>
  by === 'session' ? `${shortId(key)}  ${safeLine(title ?? '')}`.trimEnd() : safeLine(key)

const cells = (name: string, used: UsageSum, paint?: (text: string) => string) =>
  [
    name,
    costText(used),
    String(used.requests),
    thousands(used.inputTokens),
    thousands(used.outputTokens),
    thousands(used.cacheReadTokens),
    thousands(used.cacheWriteTokens),
  ].map((text) => ({ text, paint }))

/** Cents; a small cost with as many digits as say something; `?` for the part whose price isn't known. */
const costText = ({ costUsd, unpriced, requests }: UsageSum): string => {
  if (unpriced === requests && requests > 0) return '?'
  const known = `$${costUsd.toFixed(costUsd > 0 && costUsd < 1 ? 4 : 2)}`
  return unpriced > 0 ? `${known} + ?` : known
}

const unpricedText = (count: number): string =>
  `${count === 1 ? 'One request' : `${count} requests`} went to models whose price is not known: only budgets in tokens count them. Prices can be given in the file that BERTH_PRICES names.`

/** What sessions used that are gone: the sum knows it, no row does. */
const restOf = (items: readonly Item[], total: UsageSum): UsageSum | undefined => {
  const rest = { ...total }
  for (const item of items)
    for (const name of Object.keys(rest) as (keyof UsageSum)[]) rest[name] -= item[name]
  return rest.requests > 0 ? { ...rest, costUsd: Math.max(0, rest.costUsd) } : undefined
}

/** A budget, how far it is used and what is left. */
const budgetLine = (budget: Budget, style: Style): string => {
  const { unit, percent, spent } = budget
  const remaining =
    unit === 'usd' ? `$${budget.remaining.toFixed(2)}` : `${thousands(budget.remaining)} tokens`
  const left = spent ? style.red('spent') : `${remaining} left`
  return `Budget of ${safeLine(budgetOwner(budget))}: ${budgetText(budget)} (${percent}%), ${left}`
}
