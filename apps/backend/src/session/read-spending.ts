import {
  type BudgetUnit,
  budgetScopes,
  budgetSettings,
  type SessionState,
  type Settings,
} from '@berth/contract'
import type { Store } from '../store/port.ts'
import type { BudgetRules, ProjectSpending } from './budget.ts'
import type { SessionService } from './service.ts'

/** What reading it needs. */
export interface SpendingSource {
  store: Pick<Store, 'projectSettings' | 'budgetUse'>
  service: Pick<SessionService, 'settingsOf'>
}

export interface ReadSpending {
  /** What the project sets; empty when it is gone. */
  settings: Settings
  settingsVersion: number
  spending: ProjectSpending
}

/** What a decision about budgets needs to know of a project and a user, with two small reads. */
export const readSpending = async (
  { store, service }: SpendingSource,
  { project, user }: { project: string; user: string },
  now: number,
): Promise<ReadSpending> => {
  const { settings, settingsVersion } = (await store.projectSettings(project)) ?? {
    settings: {},
    settingsVersion: 0,
  }
  const at = new Date(now).toISOString()
  const rules = rulesOf(service.settingsOf(settings).values)
  const used = isShared(rules) ? await store.budgetUse(project, { user, at }) : {}
  return { settings, settingsVersion, spending: { settings: rules, user, at, used } }
}

/**
 * Whose budget a session's requests count against: the sender of the prompt that its turn works on, or worked on last.
 * Before the first turn, the owner.
 */
export const payerOf = ({ sender, summary }: Pick<SessionState, 'sender' | 'summary'>): string =>
  (sender ?? summary.owner).id

const units: readonly BudgetUnit[] = ['usd', 'tokens']

const rulesOf = (settings: Settings): BudgetRules => {
  const names = budgetScopes.flatMap((scope) => units.map((unit) => budgetSettings[scope][unit]))
  const limits = names.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]]))
  return { ...Object.fromEntries(limits), budgetWarnPercent: settings.budgetWarnPercent }
}

/** Something limits more than one session, so that what others used has to be read. */
const isShared = (rules: BudgetRules): boolean =>
  budgetScopes.some(
    (scope) => scope !== 'session' && units.some((unit) => rules[budgetSettings[scope][unit]] !== undefined),
  )
