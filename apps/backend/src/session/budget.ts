import {
  type Budget,
  platformSettings,
  type SessionState,
  type SessionSummary,
  type Settings,
} from '@berth/contract'

/** What a project has used, and what it sets about that, as a decision needs it: plain data, read before the command. */
export interface ProjectSpending {
  settings: Pick<
    Settings,
    'budgetUsd' | 'budgetTokens' | 'budgetWarnPercent' | 'projectBudgetUsd' | 'projectBudgetTokens'
  >
  /** The month (UTC) that `used` counts, such as `2030-01`. */
  month: string
  used: { usd: number; tokens: number }
}

/** The month (UTC) of a time, such as `2030-01`. */
export const monthOf = (at: string): string => at.slice(0, 7)

/** Every budget that limits a session at a time: its own, and its project's of the month. */
export const budgetsOf = (
  { settings: own, spending }: Pick<SessionState, 'settings' | 'spending'>,
  project: ProjectSpending,
  at: string,
): Budget[] => {
  const { settings, used, month } = project
  const session = [
    ['usd', own.budgetUsd ?? settings.budgetUsd, spending.usd],
    ['tokens', own.budgetTokens ?? settings.budgetTokens, spending.tokens],
  ] as const
  const now = monthOf(at)
  return [
    ...session.flatMap(([unit, limit, sum]) =>
      one({ scope: 'session', unit, limit, used: sum, period: 'session' }),
    ),
    ...projectBudgets({ settings, month: now, used: month === now ? used : { usd: 0, tokens: 0 } }),
  ]
}

/** The budgets that all sessions of a project share. */
export const projectBudgets = ({ settings, used, month: period }: ProjectSpending): Budget[] => [
  ...one({ scope: 'project', unit: 'usd', limit: settings.projectBudgetUsd, used: used.usd, period }),
  ...one({
    scope: 'project',
    unit: 'tokens',
    limit: settings.projectBudgetTokens,
    used: used.tokens,
    period,
  }),
]

const one = ({
  limit,
  ...rest
}: Pick<Budget, 'scope' | 'unit' | 'used' | 'period'> & { limit: number | undefined }): Budget[] =>
  limit === undefined
    ? []
    : [
        {
          ...rest,
          limit,
          remaining: Math.max(0, limit - rest.used),
          percent: Math.round((rest.used / limit) * 1000) / 10,
          spent: rest.used >= limit,
        },
      ]

/** The percentage at which people are warned. */
export const warnPercent = ({ settings }: Pick<SessionState, 'settings'>, project: ProjectSpending): number =>
  settings.budgetWarnPercent ?? project.settings.budgetWarnPercent ?? platformSettings.budgetWarnPercent

/** What is spent, and what to do about it. */
export const explainSpent = (
  { scope, unit, used, limit, period }: Budget,
  { id, project }: Pick<SessionSummary, 'id' | 'project'>,
): string => {
  const amounts =
    unit === 'usd'
      ? `$${dollars(used)} of $${dollars(limit)}`
      : `${Math.round(used)} of ${Math.round(limit)} tokens`
  const short = id.slice(-6)
  const place = project === 'default' ? short : `${short} -p ${project}`
  const more = Number((2 * Math.max(used, limit)).toPrecision(2))
  const name = unit === 'usd' ? 'budgetUsd' : 'budgetTokens'
  if (scope === 'session')
    return `The budget of this session is spent: ${amounts}. Raise it, then go on: berth settings ${place} ${name}=${more} && berth resume ${place}`
  const setting = unit === 'usd' ? 'projectBudgetUsd' : 'projectBudgetTokens'
  return `The budget of project ${project} for ${period} (UTC) is spent: ${amounts}. Raise it, or wait for the next month; then go on: berth project set ${project} ${setting}=${more} && berth resume ${place}`
}

/** Cents, and for small amounts as many digits as say something. */
const dollars = (amount: number): string =>
  amount >= 1 ? amount.toFixed(2) : String(Number(amount.toPrecision(2)))
