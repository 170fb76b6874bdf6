import { type EventOf, type SessionSummary, tokensOf } from '@berth/contract'
import { type RawBuilder, sql as raw } from 'kysely'
import { type Program, query, sql } from '../query.ts'
import type { UsageColumns } from '../schema.ts'

type Place = { project: string; session: string; owner: string; day: string; model: string }

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
    const { project, owner, day, model } = values
    return sql
      .insertInto('usage')
      .values({ project, owner, day, model, ...columnsOf(values) })
      .onConflict((row) => row.columns(['project', 'day', 'owner', 'model']).doUpdateSet(sums('usage')))
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
  ofMonth: query<{ project: string; month: string; tokens: number; cost_usd: number }>()(
    ({ project, month, tokens, cost_usd }) =>
      sql
        .insertInto('month_usage')
        .values({ project, month, tokens, cost_usd })
        .onConflict((row) =>
          row.columns(['project', 'month']).doUpdateSet({
            tokens: sum('month_usage', 'tokens'),
            cost_usd: sum('month_usage', 'cost_usd'),
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
  const sorted = (key: (row: (typeof rows)[number]) => string) =>
    rows.map((row) => ({ row, key: key(row) })).sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  for (const { row } of sorted(({ of }) => JSON.stringify([of.project, of.day, of.owner, of.model])))
    yield* queries.ofProject.run(row.of)
  for (const { of } of rows) yield* queries.ofSession.run(of)
  for (const { row } of sorted(({ month }) => JSON.stringify([month.project, month.month])))
    yield* queries.ofMonth.run(row.month)
}

const rowsFor = ({ summary: { project, id: session, owner }, event: { data, at } }: Counted) => {
  const { model, costUsd } = data
  const of = {
    ...{ project, session, owner: owner.id, day: at.slice(0, 10), model },
    requests: 1,
    unpriced: costUsd === null ? 1 : 0,
    input_tokens: data.inputTokens,
    output_tokens: data.outputTokens,
    cache_read_tokens: data.cacheReadTokens,
    cache_write_tokens: data.cacheWriteTokens,
    cost_usd: costUsd ?? 0,
  }
  const month = { project, month: at.slice(0, 7), tokens: tokensOf(data), cost_usd: of.cost_usd }
  return { of, month }
}
