import type { Settings } from '@berth/contract'
import type { Store } from '../store/port.ts'
import { monthOf, type ProjectSpending } from './budget.ts'

export interface ReadSpending {
  /** What the project sets; empty when it is gone. */
  settings: Settings
  settingsVersion: number
  spending: ProjectSpending
}

/** What a decision about budgets needs to know of a project, with two small reads. */
export const readSpending = async (
  store: Pick<Store, 'projectSettings' | 'monthUsage'>,
  project: string,
  now: number,
): Promise<ReadSpending> => {
  const { settings, settingsVersion } = (await store.projectSettings(project)) ?? {
    settings: {},
    settingsVersion: 0,
  }
  const { budgetUsd, budgetTokens, budgetWarnPercent, projectBudgetUsd, projectBudgetTokens } = settings
  const month = monthOf(new Date(now).toISOString())
  const limited = projectBudgetUsd !== undefined || projectBudgetTokens !== undefined
  const used = limited ? await store.monthUsage(project, month) : { usd: 0, tokens: 0 }
  const limits = { budgetUsd, budgetTokens, budgetWarnPercent, projectBudgetUsd, projectBudgetTokens }
  return { settings, settingsVersion, spending: { settings: limits, month, used } }
}
