import { BerthError, routes, type UsageItem, type UsageReport, usageCsv } from '@berth/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { budgetsOf, sharedBudgets } from '../session/budget.ts'
import { payerOf, readSpending } from '../session/read-spending.ts'
import type { UsageQuery } from '../store/usage-store.ts'
import type { Deps } from './deps.ts'
import { type Answer, type EndpointOptions, endpoint } from './endpoint.ts'
import { projectSettingsOf } from './projects.ts'

const dayMs = 86_400_000
/** Days that a project's usage shows when nobody says which. */
const usualDays = 30
/** The most lines of a table. */
const maxRows = 10_000

/** What was used, and the budgets. */
export const usageEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  const { store, service } = deps
  const serve = endpoint(app, options)

  serve(routes.getUsage, async (call) => {
    const { by, from, to } = { ...call.query, ...usualRange(call.query, deps.now()) }
    return report(deps, { by, from, to }, { call, budgets: [] })
  })

  serve(routes.getProjectUsage, async (call) => {
    const { project } = call.params
    await projectSettingsOf(store, project)
    const reader = await deps.access.readerIn(call.principal, project)
    const now = deps.now()
    const { by, from, to } = { ...call.query, ...usualRange(call.query, now) }
    const { spending } = await readSpending(deps, { project, user: call.principal.actor.id }, now)
    const budgets = sharedBudgets(spending, new Date(now).toISOString())
    return report(deps, { project, by, from, to, reader }, { call, budgets })
  })

  serve(routes.getSessionUsage, async (call) => {
    const { project, session } = call.params
    const state = await service.state(session)
    const now = deps.now()
    const { by, to = dayOf(now) } = call.query
    const from = call.query.from ?? state.summary.createdAt.slice(0, 10)
    const { spending } = await readSpending(deps, { project, user: payerOf(state) }, now)
    const budgets = budgetsOf(state, spending, new Date(now).toISOString())
    return report(deps, { project, session, by, from, to }, { call, budgets })
  })
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const usualRange = ({ from, to }: { from?: string; to?: string }, now: number) => {
  const last = to ?? dayOf(now)
  return { to: last, from: from ?? dayOf(Date.parse(last) - (usualDays - 1) * dayMs) }
}

interface Asked {
  query: { limit: number; cursor?: string; format?: 'json' | 'csv' }
  request: FastifyRequest
  reply: FastifyReply
}

const report = async (
  { store }: Deps,
  query: UsageQuery,
  { call, budgets }: { call: Asked } & Pick<UsageReport, 'budgets'>,
): Promise<Answer> => {
  const { by, from, to } = query
  if (from > to)
    throw new BerthError('invalid_input', `The first day, ${from}, is after the last, ${to}.`, [
      { field: 'query.from', message: `expected ${to} or an earlier day` },
    ])
  if (wantsCsv(call)) return sendCsv(store, query, call)
  const [{ items, next }, total] = await Promise.all([store.usage(query, call.query), store.usageSum(query)])
  return { by, from, to, items: await titled(store, query, items), next, total, budgets }
}

const wantsCsv = ({ query, request }: Asked): boolean =>
  query.format === 'csv' || (query.format === undefined && accepts(request.headers.accept))

/** Asked for by name, not by a pattern that would take anything. */
const accepts = (accept: string | undefined): boolean =>
  (accept ?? '').split(',').some((item) => item.trim().split(';')[0]?.toLowerCase() === 'text/csv')

const sendCsv = async (store: Deps['store'], query: UsageQuery, { reply }: Asked): Promise<FastifyReply> => {
  const { items, next } = await store.usage(query, { limit: maxRows })
  if (next !== undefined)
    throw new BerthError(
      'invalid_input',
      `There are more than ${maxRows} groups in these days. Ask for fewer days, or for pages of JSON.`,
      [{ field: 'query.from', message: 'expected fewer days' }],
    )
  const csv = usageCsv(query.by, await titled(store, query, items))
  const name = `usage-by-${query.by}-${query.from}-${query.to}.csv`
  return reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(csv)
}

/** Sessions with their titles. */
const titled = (
  store: Deps['store'],
  { by, project }: UsageQuery,
  items: UsageItem[],
): Promise<UsageItem[]> | UsageItem[] =>
  by === 'session' && project !== undefined
    ? Promise.all(items.map((item) => withTitle(store, project, item)))
    : items

const withTitle = async (store: Deps['store'], project: string, item: UsageItem): Promise<UsageItem> => {
  const summary = await store.summary(project, item.key)
  return summary === undefined ? item : { ...item, title: JSON.parse(summary).title as string }
}
