import { periodOf, type UsageSum } from '@berth/contract'
import { sql as raw } from 'kysely'
import type { Reader } from '../../auth/session-role.ts'
import { everybody } from '../append/usage-book.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { Page } from '../port.ts'
import { type Program, query, rowsOf, sql } from '../query.ts'
import type { UsageColumns } from '../schema.ts'
import type { BudgetUse, UsageQuery, UsageRow } from '../usage-store.ts'
import { seenBy } from './seen-by.ts'

type Sums = { [C in keyof UsageColumns]: number | null }

/** The column of each group. */
const columns = {
  session: 'session',
  model: 'model',
  day: 'day',
  user: 'user_id',
  project: 'project',
} as const satisfies Record<UsageQuery['by'], string>

type Column = (typeof columns)[UsageQuery['by']]

/** Sessions that are gone are in no row by session. */
const isSeen = (reader: Reader) =>
  raw<boolean>`EXISTS (SELECT 1 FROM sessions WHERE sessions.id = counted.session AND ${seenBy(reader)})`

/** A session's own rows, or the project's; both have these columns. */
const rows = ({ project, session, from, to, reader }: Omit<UsageQuery, 'by'>, by: UsageQuery['by']) => {
  const details = session !== undefined || by === 'session'
  const table = details ? 'session_usage' : 'usage'
  let query = sql
    .selectFrom(raw<UsageColumns & Record<Column, string>>`${raw.table(table)}`.as('counted'))
    .select(({ fn }) => [
      fn.sum<number>('requests').as('requests'),
      fn.sum<number>('unpriced').as('unpriced'),
      fn.sum<number>('input_tokens').as('input_tokens'),
      fn.sum<number>('output_tokens').as('output_tokens'),
      fn.sum<number>('cache_read_tokens').as('cache_read_tokens'),
      fn.sum<number>('cache_write_tokens').as('cache_write_tokens'),
      fn.sum<number>('cost_usd').as('cost_usd'),
    ])
    .where('day', '>=', from)
    .where('day', '<=', to)
  if (project !== undefined) query = query.where(raw.ref('project'), '=', project)
  if (session !== undefined) return query.where('session', '=', session)
  return by === 'session' && reader !== undefined ? query.where(isSeen(reader)) : query
}

/** One row more than the page holds. */
const selectPage = (query: UsageQuery, { limit, cursor }: Page) => {
  const { by } = query
  const column = columns[by]
  const newestFirst = by === 'day' || by === 'session'
  const grouped = rows(query, by)
    .select(`${column} as key`)
    .groupBy(column)
    .orderBy(column, newestFirst ? 'desc' : 'asc')
    .limit(limit + 1)
  if (cursor === undefined) return grouped
  const after = String(decodeCursor(cursor, ['string'])[0])
  return grouped.where(column, newestFirst ? '<' : '>', after)
}

const usageOf = (row: Sums): Omit<UsageRow, 'key'> => ({
  requests: row.requests ?? 0,
  unpriced: row.unpriced ?? 0,
  inputTokens: row.input_tokens ?? 0,
  outputTokens: row.output_tokens ?? 0,
  cacheReadTokens: row.cache_read_tokens ?? 0,
  cacheWriteTokens: row.cache_write_tokens ?? 0,
  costUsd: row.cost_usd ?? 0,
})

const periods = query<{ project: string; user: string; month: string; day: string }>()(
  ({ project, user, month, day }) =>
    sql
      .selectFrom('budget_usage')
      .select(['user_id', 'period', 'tokens', 'cost_usd'])
      .where('project', '=', project)
      .where((row) => row.or([row('user_id', '=', user), row('user_id', '=', everybody)]))
      .where((row) => row.or([row('period', '=', month), row('period', '=', day)])),
)

export function* usage(query: UsageQuery, page: Page): Program<{ items: UsageRow[]; next?: string }> {
  const rows = yield* rowsOf(selectPage(query, page))
  const items = rows.slice(0, page.limit).map((row) => ({ key: row.key, ...usageOf(row) }))
  const last = items.at(-1)
  return rows.length > page.limit && last !== undefined
    ? { items, next: encodeCursor([last.key]) }
    : { items }
}

export function* usageSum(query: Omit<UsageQuery, 'by'>): Program<UsageSum> {
  const [row] = yield* rowsOf(rows(query, 'model'))
  if (row === undefined) throw new Error('The database gave no sum')
  return usageOf(row)
}

export function* budgetUse(
  project: string,
  { user, at }: { user: string; at: string },
): Program<{ project: BudgetUse; day: BudgetUse; user: BudgetUse }> {
  const [month, day] = [periodOf('project', at), periodOf('day', at)]
  const found = yield* periods.all({ project, user, month, day })
  const of = (who: string, period: string): BudgetUse => {
    const row = found.find((item) => item.user_id === who && item.period === period)
    return { usd: row?.cost_usd ?? 0, tokens: row?.tokens ?? 0 }
  }
  return { project: of(everybody, month), day: of(everybody, day), user: of(user, month) }
}
