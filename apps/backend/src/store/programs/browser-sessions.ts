import type { BrowserSessionRow } from '../browser-session-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'

type Columns = Tables['browser_sessions']

const columns = [
  ...(['hash', 'subject', 'user_id', 'identity', 'created_at'] as const),
  ...(['used_at', 'expires_at', 'refresh_at', 'sealed'] as const),
]

const rowOf = (row: Columns): BrowserSessionRow => ({
  hash: row.hash,
  subject: row.subject,
  identity: JSON.parse(row.identity),
  createdAt: row.created_at,
  usedAt: row.used_at,
  expiresAt: row.expires_at,
  ...(row.refresh_at !== null && { refreshAt: row.refresh_at }),
  ...(row.sealed !== null && { sealed: row.sealed }),
})

const queries = {
  create: query<Columns>()(
    ({ hash, subject, user_id, identity, created_at, used_at, expires_at, refresh_at, sealed }) =>
      sql
        .insertInto('browser_sessions')
        .values({ hash, subject, user_id, identity, created_at, used_at, expires_at, refresh_at, sealed }),
  ),
  session: query<{ hash: string; now: number; idleSince: number }>()(({ hash, now, idleSince }) =>
    sql
      .selectFrom('browser_sessions')
      .select(columns)
      .where('hash', '=', hash)
      .where('expires_at', '>', now)
      .where('used_at', '>', idleSince),
  ),
  touch: query<{ hash: string; usedAt: number }>()(({ hash, usedAt }) =>
    sql
      .updateTable('browser_sessions')
      .set({ used_at: usedAt })
      .where('hash', '=', hash)
      .where('used_at', '<', usedAt),
  ),
  // Two backends that look at once find the same; the second one's condition is checked again after the first one's commit.
  claim: query<{ now: number; until: number; limit: number }>()(({ now, until, limit }) =>
    sql
      .updateTable('browser_sessions')
      .set({ refresh_at: until })
      .where('refresh_at', '<=', now)
      .where('hash', 'in', (eb) =>
        eb
          .selectFrom('browser_sessions')
          .select('hash')
          .where('refresh_at', '<=', now)
          .orderBy('refresh_at')
          .limit(limit),
      )
      .returning(columns),
  ),
  refresh: query<{
    hash: string
    claimedUntil: number
    user: string
    identity: string
    sealed: string
    refreshAt: number
  }>()(({ hash, claimedUntil, user, identity, sealed, refreshAt }) =>
    sql
      .updateTable('browser_sessions')
      .set({ user_id: user, identity, sealed, refresh_at: refreshAt })
      .where('hash', '=', hash)
      .where('refresh_at', '=', claimedUntil),
  ),
  remove: query<{ hash: string }>()(({ hash }) =>
    sql.deleteFrom('browser_sessions').where('hash', '=', hash).returning(columns),
  ),
}

/** What changes browser sessions. */
export const browserSessionPrograms: Pick<
  Programs,
  | 'createBrowserSession'
  | 'touchBrowserSession'
  | 'claimBrowserSessions'
  | 'refreshBrowserSession'
  | 'removeBrowserSession'
> = {
  *createBrowserSession({ hash, subject, identity, createdAt, usedAt, expiresAt, refreshAt, sealed }) {
    yield* queries.create.run({
      ...{ hash, subject, user_id: identity.user, identity: JSON.stringify(identity), created_at: createdAt },
      ...{ used_at: usedAt, expires_at: expiresAt, refresh_at: refreshAt ?? null, sealed: sealed ?? null },
    })
    return { value: undefined }
  },
  *touchBrowserSession(input) {
    yield* queries.touch.run(input)
    return { value: undefined }
  },
  *claimBrowserSessions(input) {
    return { value: (yield* queries.claim.all(input)).map(rowOf) }
  },
  *refreshBrowserSession({ hash, claimedUntil, identity, sealed, refreshAt }) {
    const { user } = identity
    const values = { hash, claimedUntil, user, identity: JSON.stringify(identity), sealed, refreshAt }
    return { value: (yield* queries.refresh.run(values)) > 0 }
  },
  *removeBrowserSession(input) {
    const row = yield* queries.remove.get(input)
    return { value: row && rowOf(row) }
  },
}

export function* browserSession(
  hash: string,
  at: { now: number; idleSince: number },
): Program<BrowserSessionRow | undefined> {
  const row = yield* queries.session.get({ hash, ...at })
  return row && rowOf(row)
}
