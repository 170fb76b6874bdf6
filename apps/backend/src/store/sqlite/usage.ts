import type { DatabaseSync } from 'node:sqlite'
import { type EventOf, type SessionSummary, tokensOf } from '@berth/contract'
import { type RawBuilder, sql as raw } from 'kysely'
import type { UsageColumns } from '../schema.ts'
import { queriesOf, sql } from './query.ts'

/** Counts requests to models, in the transaction that appends their events. */
export class UsageBook {
  readonly #queries: ReturnType<typeof usageQueries>

  constructor(database: DatabaseSync) {
    this.#queries = usageQueries(database)
  }

  add({ project, id: session, owner }: SessionSummary, { data, at }: EventOf<'model.usage'>): void {
    const { model, costUsd } = data
    const values = {
      ...{ project, session, owner: owner.id, day: at.slice(0, 10), model },
      requests: 1,
      unpriced: costUsd === null ? 1 : 0,
      input_tokens: data.inputTokens,
      output_tokens: data.outputTokens,
      cache_read_tokens: data.cacheReadTokens,
      cache_write_tokens: data.cacheWriteTokens,
      cost_usd: costUsd ?? 0,
    }
    this.#queries.ofProject.run(values)
    this.#queries.ofSession.run(values)
    const month = { project, month: at.slice(0, 7), tokens: tokensOf(data), cost_usd: values.cost_usd }
    this.#queries.ofMonth.run(month)
  }
}

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

const usageQueries = (database: DatabaseSync) => {
  const query = queriesOf(database)
  return {
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
}
