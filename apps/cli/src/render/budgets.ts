import { type Budget, budgetOwner } from '@berth/contract'
import { safeLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { budgetText, thousands } from './amounts.ts'
import { renderTable } from './table.ts'

/** Budgets, one a line: whose, how much is used, what is left. */
export const renderBudgets = (
  budgets: readonly Budget[],
  { width, style }: { width: number; style: Style },
): string => {
  const columns = [
    { title: 'BUDGET OF', shrinks: true, min: 12 },
    { title: 'USED' },
    { title: 'PERCENT', right: true },
    { title: 'LEFT', right: true },
  ]
  const rows = budgets.map((budget) => {
    const { spent, percent } = budget
    const paint = spent ? style.red : undefined
    return [
      { text: safeLine(budgetOwner(budget)) },
      { text: budgetText(budget) },
      { text: `${percent}%`, paint },
      { text: spent ? 'spent' : leftText(budget), paint },
    ]
  })
  return renderTable({ columns, rows }, { width, style })
}

const leftText = ({ unit, remaining }: Budget): string =>
  unit === 'usd' ? `$${remaining.toFixed(2)}` : thousands(remaining)
