import { type EventOf, periodOf, type SessionSummary, tokensOf } from '@berth/contract'
import { type RawBuilder, sql as raw } from 'kysely'
import { type Program, query, sql } from '../query.ts'
import type { UsageColumns } from '../schema.ts'

/** Stands for all users together. */
export const everybody = ''

type Place = { project: string; session: string; user_id: string; day: string; model: string }

type Period = { project: string; user_id: string; period: string; tokens: number; cost_usd: number }

/** By name: placeholders can't be listed. */
const columnsOf = (values: UsageColumns): UsageColumns => ({
  requests: values.requests,
  unpriced: values.unpriced,
  input_tokens: values.input_tokens,
  output_tokens: values.output_tokens,
  cache_read_tokens: values.cache_read_tokens,
  cache_write_tokens: values.cache_write_tokens,
  cost_usd: values.cost_usd,
})

/** What stands in the row and what comes, together. */
const sum = (table: string, column: string): RawBuilder<number> =>
  raw<number>`${raw.ref(`${table}.${column}`)} + ${raw.ref(`excluded.${column}`)}`

const sums = (table: string) => ({
  requests: sum(table, 'requests'),
  unpriced: sum(table, 'unpriced'),
  input_tokens: sum(table, 'input_tokens'),
  output_tokens: sum(table, 'output_tokens'),
  cache_read_tokens: sum(table, 'cache_read_tokens'),
  cache_write_tokens: sum(table, 'cache_write_tokens'),
  cost_usd: sum(table, 'cost_usd'),
})

const queries = {
  ofProject: query<Place & UsageColumns>()((values) => {
    const { project, user_id, day, model } = values
    return sql
      .insertInto('usage')
      .values({ project, user_id, day, model, ...columnsOf(values) })
      .onConflict((row) => row.columns(['project', 'day', 'user_id', 'model']).doUpdateSet(sums('usage')))
  }),
  ofSession: query<Place & UsageColumns>()((values) => {
    const { project, session, day, model } = values
    return sql
      .insertInto('session_usage')
      .values({ project, session, day, model, ...columnsOf(values) })
      .onConflict((row) =>
        row.columns(['project', 'session', 'day', 'model']).doUpdateSet(sums('session_usage')),
      )
  }),
  ofPeriod: query<Period>()(({ project, user_id, period, tokens, cost_usd }) =>
    sql
      .insertInto('budget_usage')
      .values({ project, user_id, period, tokens, cost_usd })
      .onConflict((row) =>
        row.columns(['project', 'user_id', 'period']).doUpdateSet({
          tokens: sum('budget_usage', 'tokens'),
          cost_usd: sum('budget_usage', 'cost_usd'),
        }),
      ),
  ),
}

interface Counted {
  summary: SessionSummary
  event: EventOf<'model.usage'>
}

/**
 * Counts requests to models, in the transaction that appends their events: table by table and in the order of the keys, so that
 * two transactions never wait for each other.
 */
export function* countUsage(counted: readonly Counted[]): Program<void> {
  const rows = counted.map(rowsFor)
  const days = rows.map(({ of }) => ({ row: of, key: [of.project, of.day, of.user_id, of.model] }))
  for (const row of inOrder(days)) yield* queries.ofProject.run(row)
  for (const { of } of rows) yield* queries.ofSession.run(of)
  const periods = rows.flatMap((row) => row.periods)
  const keyed = periods.map((row) => ({ row, key: [row.project, row.user_id, row.period] }))
  for (const row of inOrder(keyed)) yield* queries.ofPeriod.run(row)
}

const inOrder = <T>(keyed: readonly { row: T; key: readonly string[] }[]): T[] =>
  keyed
    .map(({ row, key }) => ({ row, key: JSON.stringify(key) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ row }) => row)

const rowsFor = ({ summary: { project, id: session, owner }, event: { data, at } }: Counted) => {
  const { model, costUsd, user = owner.id } = data
  const [day, month] = [periodOf('day', at), periodOf('project', at)]
  const of = {
    ...{ project, session, user_id: user, day, model },
    requests: 1,
    unpriced: costUsd === null ? 1 : 0,
    input_tokens: data.inputTokens,
    output_tokens: data.outputTokens,
    cache_read_tokens: data.cacheReadTokens,
    cache_write_tokens: data.cacheWriteTokens,
    cost_usd: costUsd ?? 0,
  }
  const sums = { tokens: tokensOf(data), cost_usd: of.cost_usd }
  const periods = [
    { project, user_id: everybody, period: month, ...sums },
    { project, user_id: everybody, period: day, ...sums },
    { project, user_id: user, period: month, ...sums },
  ]
  return { of, periods }
}
