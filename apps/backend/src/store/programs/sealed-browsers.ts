import type { SealedBrowser } from '../browser-session-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'

const queries = {
  count: query<{ beginning: string; length: number }>()(({ beginning, length }) =>
    sql
      .selectFrom('browser_sessions')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where(({ eb, fn }) => eb(fn<string>('substr', ['sealed', eb.lit(1), eb.val(length)]), '=', beginning)),
  ),
  sealed: query<{ beginning: string; length: number; limit: number }>()(({ beginning, length, limit }) =>
    sql
      .selectFrom('browser_sessions')
      .select(['hash', 'sealed'])
      .where(({ eb, fn }) => eb(fn<string>('substr', ['sealed', eb.lit(1), eb.val(length)]), '=', beginning))
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
  end: query<{ hash: string }>()(({ hash }) => sql.deleteFrom('browser_sessions').where('hash', '=', hash)),
}

const page = 500

/** What is done with the tokens of browsers when keys are replaced. */
export const sealedBrowserPrograms: Pick<Programs, 'resealBrowsers' | 'endBrowsersSealedOtherwise'> = {
  *resealBrowsers({ items }) {
    let done = 0
    for (const item of items) done += yield* queries.reseal.run(item)
    return { value: done }
  },
  *endBrowsersSealedOtherwise({ beginnings }) {
    let ended = 0
    let after = ''
    for (;;) {
      const rows = yield* queries.after.all({ after, limit: page })
      for (const { hash, sealed } of rows)
        if (!beginnings.some((beginning) => sealed?.startsWith(beginning)))
          ended += yield* queries.end.run({ hash })
      after = rows.at(-1)?.hash ?? ''
      if (rows.length < page) return { value: ended }
    }
  },
}

export function* browsersSealedBy(beginning: string): Program<number> {
  return (yield* queries.count.get({ beginning, length: beginning.length }))?.count ?? 0
}

export function* sealedBrowsers(beginning: string, limit: number): Program<SealedBrowser[]> {
  const rows = yield* queries.sealed.all({ beginning, length: beginning.length, limit })
  return rows.map(({ hash, sealed }) => ({ hash, sealed: sealed ?? '' }))
}
