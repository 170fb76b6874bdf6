import { BerthError } from '@berth/contract'
import { type BrowserSessionRow, issuerActor } from '../browser-session-store.ts'
import { subjectKey } from '../key-store.ts'
import type { Programs } from '../operations.ts'
import { type Program, query, sql } from '../query.ts'
import type { Tables } from '../schema.ts'
import { renewGroups } from './known-groups.ts'

type Columns = Tables['browser_sessions']

const columns = [
  ...(['hash', 'subject', 'user_id', 'identity', 'created_at'] as const),
  ...(['used_at', 'expires_at', 'refresh_at', 'sealed', 'sid'] as const),
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
  ...(row.sid !== null && { sid: row.sid }),
})

const queries = {
  create: query<Columns>()(
    ({ hash, subject, user_id, identity, created_at, used_at, expires_at, refresh_at, sealed, sid }) =>
      sql.insertInto('browser_sessions').values({
        ...{ hash, subject, user_id, identity, created_at },
        ...{ used_at, expires_at, refresh_at, sealed, sid },
      }),
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
  told: query<{ hash: string; subject: string; principal: string; until: number }>()(
    ({ hash, subject, principal, until }) =>
      sql
        .insertInto('grants')
        .values({ kind: 'logout-token', hash, subject, principal, expires_at: until })
        .onConflict((conflict) => conflict.columns(['kind', 'hash']).doNothing()),
  ),
  endOfSid: query<{ sid: string }>()(({ sid }) => sql.deleteFrom('browser_sessions').where('sid', '=', sid)),
  endOfSubject: query<{ subject: string }>()(({ subject }) =>
    sql.deleteFrom('browser_sessions').where('subject', '=', subject),
  ),
  endWithoutSid: query<{ subject: string }>()(({ subject }) =>
    sql.deleteFrom('browser_sessions').where('subject', '=', subject).where('sid', 'is', null),
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
  | 'endBrowserSessions'
> = {
  *createBrowserSession({ hash, subject, identity, createdAt, usedAt, expiresAt, refreshAt, sealed, sid }) {
    yield* queries.create.run({
      ...{ hash, subject, user_id: identity.user, identity: JSON.stringify(identity), created_at: createdAt },
      ...{ used_at: usedAt, expires_at: expiresAt, refresh_at: refreshAt ?? null, sealed: sealed ?? null },
      sid: sid ?? null,
    })
    yield* renewGroups({ kind: 'user', id: identity.user }, identity.groups)
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
    const isKept = (yield* queries.refresh.run(values)) > 0
    if (isKept) yield* renewGroups({ kind: 'user', id: user }, identity.groups)
    return { value: isKept }
  },
  *removeBrowserSession(input) {
    const row = yield* queries.remove.get(input)
    return { value: row && rowOf(row) }
  },
  *endBrowserSessions({ sid, subject, token }) {
    const noted = { subject: subjectKey(issuerActor), principal: JSON.stringify(issuerActor) }
    const isNew = (yield* queries.told.run({ ...noted, ...token })) > 0
    if (!isNew)
      throw new BerthError('invalid_input', 'This logout token was used already.', [
        { field: 'body.logout_token', message: 'was used already' },
      ])
    const bySid = sid === undefined ? 0 : yield* queries.endOfSid.run({ sid })
    const rest = sid === undefined ? queries.endOfSubject : queries.endWithoutSid
    const value = bySid + (subject === undefined ? 0 : yield* rest.run({ subject }))
    return { value, details: { sessions: value } }
  },
}

export function* browserSession(
  hash: string,
  at: { now: number; idleSince: number },
): Program<BrowserSessionRow | undefined> {
  const row = yield* queries.session.get({ hash, ...at })
  return row && rowOf(row)
}
