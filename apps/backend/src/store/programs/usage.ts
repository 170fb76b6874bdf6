import type { UsageSum } from '@berth/contract'
import { sql as raw } from 'kysely'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import type { Page, UsageQuery, UsageRow } from '../port.ts'
import { type Program, query, rowsOf, sql } from '../query.ts'
import type { UsageColumns } from '../schema.ts'

type Sums = { [C in keyof UsageColumns]: number | null }

/** A session's own rows, or the project's; both have these columns. */
const rows = ({ project, session, from, to }: Omit<UsageQuery, 'by'>, by: UsageQuery['by']) => {
  const details = session !== undefined || by === 'session'
  const table = details ? 'session_usage' : 'usage'
  const query = sql
    .selectFrom(raw<UsageColumns & Record<UsageQuery['by'], string>>`${raw.table(table)}`.as('counted'))
    .select(({ fn }) => [
      fn.sum<number>('requests').as('requests'),
      fn.sum<number>('unpriced').as('unpriced'),
      fn.sum<number>('input_tokens').as('input_tokens'),
      fn.sum<number>('output_tokens').as('output_tokens'),
      fn.sum<number>('cache_read_tokens').as('cache_read_tokens'),
      fn.sum<number>('cache_write_tokens').as('cache_write_tokens'),
      fn.sum<number>('cost_usd').as('cost_usd'),
    ])
    .where(raw.ref('project'), '=', project)
    .where('day', '>=', from)
    .where('day', '<=', to)
  return session === undefined ? query : query.where('session', '=', session)
}

/** One row more than the page holds. */
const selectPage = (query: UsageQuery, { limit, cursor }: Page) => {
  const { by } = query
  const newestFirst = by === 'day' || by === 'session'
  const grouped = rows(query, by)
    .select(`${by} as key`)
    .groupBy(by)
    .orderBy(by, newestFirst ? 'desc' : 'asc')
    .limit(limit + 1)
  if (cursor === undefined) return grouped
  const after = String(decodeCursor(cursor, ['string'])[0])
  return grouped.where(by, newestFirst ? '<' : '>', after)
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

const month = query<{ project: string; month: string }>()(({ project, month }) =>
  sql
    .selectFrom('month_usage')
    .select(['tokens', 'cost_usd'])
    .where('project', '=', project)
    .where('month', '=', month),
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

export function* monthUsage(project: string, name: string): Program<{ usd: number; tokens: number }> {
  const row = yield* month.get({ project, month: name })
  return { usd: row?.cost_usd ?? 0, tokens: row?.tokens ?? 0 }
}
