import {
  type Budget,
  type BudgetScope,
  budgetScopes,
  budgetSettings,
  type UsageReport,
} from '@berth/contract'
import { Argument, type Command } from 'commander'
import type { Context } from '../context.ts'
import { examples, type JsonOptions, jsonOption, type ProjectOptions, projectOption } from '../options.ts'
import { renderBudgets } from '../render/budgets.ts'
import { findSession, sessionArgument } from '../session-ref.ts'
import { readAssignments } from '../settings/assignments.ts'
import { safeJson } from '../terminal/safe-text.ts'
import { changeSettings } from './project-settings.ts'

interface SetOptions extends ProjectOptions, JsonOptions {
  tokens?: boolean
}

export const addBudget = (program: Command, context: Context): void => {
  const group = program
    .command('budget')
    .summary('budgets, and how far they are used')
    .description(
      'What a project’s sessions may spend: each session, each user a month, all together a day and a month (UTC).',
    )
  const show = group
    .command('show [session]', { isDefault: true })
    .description(
      `Shows every budget and how far it is used: of a project, with each of its users this month; or those that limit a session (${sessionArgument}).`,
    )
    .addOption(projectOption())
    .addOption(jsonOption('the budgets'))
    .action((session: string | undefined, options: ProjectOptions & JsonOptions) =>
      showBudgets(context, session, options),
    )
  examples(show, ['berth budget', 'berth budget -p web', 'berth budget show last'])
  const set = group
    .command('set')
    .description('Sets a budget of a project, in US dollars or tokens; `off` takes it away.')
    .addArgument(
      new Argument('<scope>', 'session: each session of the project; user: each user per month').choices(
        budgetScopes,
      ),
    )
    .argument('<amount>', 'dollars; with --tokens a count such as 500k; or off')
    .option('--tokens', 'the amount is in tokens of all kinds')
    .addOption(projectOption())
    .addOption(jsonOption('the project’s settings'))
    .action((scope: BudgetScope, amount: string, options: SetOptions) =>
      setBudget(context, { scope, amount }, options),
    )
  examples(set, [
    'berth budget set user 50',
    'berth budget set day 100 -p web',
    'berth budget set project 20M --tokens',
    'berth budget set session off',
  ])
}

const setBudget = (
  context: Context,
  { scope, amount }: { scope: BudgetScope; amount: string },
  { project, tokens, json }: SetOptions,
): Promise<void> => {
  const name = budgetSettings[scope][tokens === true ? 'tokens' : 'usd']
  const value = amount === 'off' ? '' : amount
  return changeSettings(context, { name: project, json: json === true }, (own) =>
    readAssignments([`${name}=${value}`], { own }),
  )
}

const showBudgets = async (
  context: Context,
  text: string | undefined,
  { project, json }: ProjectOptions & JsonOptions,
): Promise<void> => {
  const { client, out } = context
  const budgets =
    text === undefined ? await ofProject(context, project) : await ofSession(context, text, project)
  if (json === true) return out.line(safeJson({ budgets }))
  if (budgets.length > 0) return out.line(renderBudgets(budgets, { width: out.columns(), style: out.style }))
  const { effective } = await client.getProjectSettings({ params: { project } })
  const each = effective.budgetUsd ?? effective.budgetTokens
  out.line(
    each === undefined
      ? `Nothing limits what ${text === undefined ? `the project ${project}` : 'this session'} spends. Set a budget: ${context.berth} budget set day 100 -p ${project}`
      : 'Only sessions have a budget. Show that of one: add its id.',
  )
}

const ofSession = async ({ client }: Context, text: string, project: string): Promise<Budget[]> => {
  const { id: session } = await findSession(text, { client, project })
  return (await client.getSessionUsage({ params: { project, session }, query: { limit: 1 } })).budgets
}

/** The project's own budgets, and for one that each user has, a line for everyone who used some of it. */
const ofProject = async ({ client }: Context, project: string): Promise<Budget[]> => {
  const params = { project }
  const { budgets } = await client.getProjectUsage({ params, query: { limit: 1 } })
  const mine = budgets.filter(({ scope }) => scope === 'user')
  const [first] = mine
  if (first === undefined) return budgets
  const query = { by: 'user', from: `${first.period}-01`, limit: 200 } as const
  const users = await client.getProjectUsage({ params, query })
  const others = mine.flatMap((budget) =>
    users.items.filter(({ key }) => key !== budget.user).map((item) => ofUser(budget, item)),
  )
  return [...budgets, ...others]
}

/** The budget that every user has, as far as this one has used it. */
const ofUser = (budget: Budget, item: UsageReport['items'][number]): Budget => {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd, key } = item
  const tokens = inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens
  const used = budget.unit === 'usd' ? costUsd : tokens
  return {
    ...budget,
    user: key,
    used,
    remaining: Math.max(0, budget.limit - used),
    percent: Math.round((used / budget.limit) * 1000) / 10,
    spent: used >= budget.limit,
  }
}
