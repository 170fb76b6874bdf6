import {
  type Budget,
  type BudgetScope,
  budgetScopes,
  budgetSettings,
  periodOf,
  platformSettings,
  type SessionState,
  type SessionSummary,
  type Settings,
} from '@berth/contract'
import type { BudgetUse } from '../store/usage-store.ts'

/** What a project's settings say about budgets. */
export type BudgetRules = Pick<
  Settings,
  'budgetWarnPercent' | (typeof budgetSettings)[BudgetScope]['usd' | 'tokens']
>

/** What a project has used, and what it sets about that, as a decision needs it: plain data, read before the command. */
export interface ProjectSpending {
  settings: BudgetRules
  /** Whose requests count: the sender of the turn's prompt. */
  user: string
  /** When `used` was read (ISO 8601, UTC): what it counts of a month or day that is over, counts no more. */
  at: string
  /** By scope; `user` is what that user used in the month. A scope that nothing limits may be left out. */
  used: Partial<Record<SharedScope, BudgetUse>>
}

/** The scopes that sessions share. */
export type SharedScope = Exclude<BudgetScope, 'session'>

const nothing: BudgetUse = { usd: 0, tokens: 0 }

/** Every budget that limits a session at a time: its own, and those that it shares. */
export const budgetsOf = (
  { settings: own, spending }: Pick<SessionState, 'settings' | 'spending'>,
  project: ProjectSpending,
  at: string,
): Budget[] => [
  ...ofScope('session', { rules: { ...project.settings, ...set(own) }, used: spending, at }),
  ...sharedBudgets(project, at),
]

/** The budgets that all sessions of a project share, and that of the user. */
export const sharedBudgets = (project: ProjectSpending, at: string): Budget[] =>
  budgetScopes.flatMap((scope) => {
    if (scope === 'session') return []
    const used = periodOf(scope, project.at) === periodOf(scope, at) ? project.used[scope] : undefined
    const user = scope === 'user' ? project.user : undefined
    return ofScope(scope, { rules: project.settings, used: used ?? nothing, at, user })
  })

/** What a session sets itself counts before its project's. */
const set = ({ budgetUsd, budgetTokens }: SessionState['settings']): BudgetRules => ({
  ...(budgetUsd === undefined ? {} : { budgetUsd }),
  ...(budgetTokens === undefined ? {} : { budgetTokens }),
})

const ofScope = (
  scope: BudgetScope,
  { rules, used, at, user }: { rules: BudgetRules; used: BudgetUse; at: string; user?: string },
): Budget[] =>
  (['usd', 'tokens'] as const).flatMap((unit) => {
    const limit = rules[budgetSettings[scope][unit]]
    if (limit === undefined) return []
    const sum = used[unit]
    return [
      {
        scope,
        unit,
        period: periodOf(scope, at),
        ...(user === undefined ? {} : { user }),
        limit,
        used: sum,
        remaining: Math.max(0, limit - sum),
        percent: Math.round((sum / limit) * 1000) / 10,
        spent: sum >= limit,
      },
    ]
  })

/** The percentage at which people are warned. */
export const warnPercent = ({ settings }: Pick<SessionState, 'settings'>, project: ProjectSpending): number =>
  settings.budgetWarnPercent ?? project.settings.budgetWarnPercent ?? platformSettings.budgetWarnPercent

/** What is spent, and what to do about it. */
export const explainSpent = (
  { scope, unit, used, limit, period, user }: Budget,
  { id, project }: Pick<SessionSummary, 'id' | 'project'>,
): string => {
  const amounts =
    unit === 'usd'
      ? `$${dollars(used)} of $${dollars(limit)}`
      : `${Math.round(used)} of ${Math.round(limit)} tokens`
  const short = id.slice(-6)
  const place = project === 'default' ? short : `${short} -p ${project}`
  const more = Number((2 * Math.max(used, limit)).toPrecision(2))
  const setting = `${budgetSettings[scope][unit]}=${more}`
  const { whose, wait } = words[scope]
  const raise = scope === 'session' ? `berth settings ${place}` : `berth project set ${project}`
  return `The budget of ${whose({ project, period, user: user ?? '' })} is spent: ${amounts}. ${wait}: ${raise} ${setting} && berth resume ${place}`
}

interface Named {
  project: string
  period: string
  user: string
}

/** How people are told whose budget it is, and what helps. */
const words: Record<BudgetScope, { whose: (named: Named) => string; wait: string }> = {
  session: { whose: () => 'this session', wait: 'Raise it, then go on' },
  user: {
    whose: ({ project, period, user }) => `${user} in project ${project} for ${period} (UTC)`,
    wait: 'Raise it for every user of the project, or wait for the next month; then go on',
  },
  day: {
    whose: ({ project, period }) => `project ${project} for ${period} (UTC)`,
    wait: 'Raise it, or wait for the next day; then go on',
  },
  project: {
    whose: ({ project, period }) => `project ${project} for ${period} (UTC)`,
    wait: 'Raise it, or wait for the next month; then go on',
  },
}

/** Cents, and for small amounts as many digits as say something. */
const dollars = (amount: number): string =>
  amount >= 1 ? amount.toFixed(2) : String(Number(amount.toPrecision(2)))
