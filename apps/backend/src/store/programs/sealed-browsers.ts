import type { ExpressionBuilder } from 'kysely'
import type { SealedBrowser } from '../browser-session-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'

const beginsWith =
  (beginning: string, length: number) =>
  ({ eb, fn }: ExpressionBuilder<Tables, 'browser_sessions'>) =>
    eb(fn<string>('substr', ['sealed', eb.lit(1), eb.val(length)]), '=', beginning)

const queries = {
  count: query<{ beginning: string; length: number }>()(({ beginning, length }) =>
    sql
      .selectFrom('browser_sessions')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where(beginsWith(beginning, length)),
  ),
  sealed: query<{ beginning: string; length: number; limit: number }>()(({ beginning, length, limit }) =>
    sql
      .selectFrom('browser_sessions')
      .select(['hash', 'sealed'])
      .where(beginsWith(beginning, length))
      .orderBy('hash')
      .limit(limit),
  ),
  reseal: query<SealedBrowser & { resealed: string }>()(({ hash, sealed, resealed }) =>
    sql
      .updateTable('browser_sessions')
      .set({ sealed: resealed })
      .where('hash', '=', hash)
      .where('sealed', '=', sealed),
  ),
  after: query<{ after: string; limit: number }>()(({ after, limit }) =>
    sql
      .selectFrom('browser_sessions')
      .select(['hash', 'sealed'])
      .where('sealed', 'is not', null)
      .where('hash', '>', after)
      .orderBy('hash')
      .limit(limit),
  ),
  end: query<SealedBrowser>()(({ hash, sealed }) =>
    sql.deleteFrom('browser_sessions').where('hash', '=', hash).where('sealed', '=', sealed),
  ),
}

/** What is done with the tokens of browsers when keys are replaced. */
export const sealedBrowserPrograms: Pick<Programs, 'resealBrowsers' | 'endBrowsersSealedOtherwise'> = {
  *resealBrowsers({ items }) {
    let done = 0
    for (const item of items) done += yield* queries.reseal.run(item)
    return { value: done }
  },
  *endBrowsersSealedOtherwise({ beginnings, after, limit }) {
    let ended = 0
    const rows = yield* queries.after.all({ after, limit })
    for (const { hash, sealed } of rows) {
      if (sealed === null || beginnings.some((beginning) => sealed.startsWith(beginning))) continue
      ended += yield* queries.end.run({ hash, sealed })
    }
    return { value: { ended, next: rows.length < limit ? undefined : rows.at(-1)?.hash } }
  },
}

export function* browsersSealedBy(beginning: string): Program<number> {
  return (yield* queries.count.get({ beginning, length: beginning.length }))?.count ?? 0
}

export function* sealedBrowsers(beginning: string, limit: number): Program<SealedBrowser[]> {
  const rows = yield* queries.sealed.all({ beginning, length: beginning.length, limit })
  return rows.map(({ hash, sealed }) => ({ hash, sealed: sealed ?? '' }))
}
