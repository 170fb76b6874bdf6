import { type CompiledQuery, sql as raw } from 'kysely'
import { decodeCursor } from '../cursor.ts'
import type { Page, UsageQuery, UsageRow } from '../port.ts'
import type { UsageColumns } from '../schema.ts'
import { sql } from './query.ts'

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
export const usageQuery = (
  query: UsageQuery,
  { limit, cursor }: Page,
): CompiledQuery<Sums & { key: string }> => {
  const { by } = query
  const newestFirst = by === 'day' || by === 'session'
  const grouped = rows(query, by)
    .select(`${by} as key`)
    .groupBy(by)
    .orderBy(by, newestFirst ? 'desc' : 'asc')
    .limit(limit + 1)
  if (cursor === undefined) return grouped.compile()
  const after = String(decodeCursor(cursor, ['string'])[0])
  return grouped.where(by, newestFirst ? '<' : '>', after).compile()
}

export const usageSumQuery = (query: Omit<UsageQuery, 'by'>): CompiledQuery<Sums> =>
  rows(query, 'model').compile()

export const usageOf = (row: Sums): Omit<UsageRow, 'key'> => ({
  requests: row.requests ?? 0,
  unpriced: row.unpriced ?? 0,
  inputTokens: row.input_tokens ?? 0,
  outputTokens: row.output_tokens ?? 0,
  cacheReadTokens: row.cache_read_tokens ?? 0,
  cacheWriteTokens: row.cache_write_tokens ?? 0,
  costUsd: row.cost_usd ?? 0,
})
