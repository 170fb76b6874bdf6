import { BerthError, routes, type UsageReport } from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { budgetsOf, projectBudgets } from '../session/budget.ts'
import { readSpending } from '../session/read-spending.ts'
import { notFound } from '../session/service.ts'
import type { UsageQuery } from '../store/port.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

const dayMs = 86_400_000
/** Days that a project's usage shows when nobody says which. */
const usualDays = 30

/** What was used, and the budgets. */
export const usageEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, service } = deps
  const serve = endpoint(app, options)

  serve(routes.getProjectUsage, async ({ params: { project }, query }) => {
    await projectSettingsOf(store, project)
    const now = deps.now()
    const { by, to = dayOf(now) } = query
    const from = query.from ?? dayOf(Date.parse(to) - (usualDays - 1) * dayMs)
    const { spending } = await readSpending(store, project, now)
    return report(deps, { project, by, from, to }, { page: query, budgets: projectBudgets(spending) })
  })

  serve(routes.getSessionUsage, async ({ params: { project, session }, query }) => {
    const state = await service.state(session)
    if (state.summary.project !== project) throw notFound(session)
    const now = deps.now()
    const { by, to = dayOf(now) } = query
    const from = query.from ?? state.summary.createdAt.slice(0, 10)
    const { spending } = await readSpending(store, project, now)
    const budgets = budgetsOf(state, spending, new Date(now).toISOString())
    return report(deps, { project, session, by, from, to }, { page: query, budgets })
  })
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const report = async (
  { store }: Deps,
  query: UsageQuery,
  { page, budgets }: { page: { limit: number; cursor?: string } } & Pick<UsageReport, 'budgets'>,
): Promise<UsageReport> => {
  const { project, by, from, to } = query
  if (from > to)
    throw new BerthError('invalid_input', `The first day, ${from}, is after the last, ${to}.`, [
      { field: 'query.from', message: `expected ${to} or an earlier day` },
    ])
  const [{ items, next }, total] = await Promise.all([store.usage(query, page), store.usageSum(query)])
  const titled =
    by === 'session' ? await Promise.all(items.map((item) => withTitle(store, project, item))) : items
  return { by, from, to, items: titled, next, total, budgets }
}

const withTitle = async <T extends { key: string }>(store: Deps['store'], project: string, item: T) => {
  const summary = await store.summary(project, item.key)
  return summary === undefined ? item : { ...item, title: JSON.parse(summary).title as string }
}
