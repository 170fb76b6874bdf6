import { sql as raw } from 'kysely'
import { subjectKey } from '../key-store.ts'
import type { Programs } from '../operations.ts'
import type { Grant } from '../port.ts'
import { type Program, query, sql, storeTime } from '../query.ts'

const queries = {
  lease: query<{ name: string; holder: string; ttlMs: number }>()(({ name, holder, ttlMs }) => {
    const expires_at = raw<number>`${storeTime} + ${ttlMs}`
    return sql
      .insertInto('leases')
      .values({ name, holder, expires_at })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, expires_at })
          .where(({ eb, or }) =>
            or([eb('leases.holder', '=', holder), eb('leases.expires_at', '<=', raw<number>`${storeTime}`)]),
          ),
      )
  }),
  release: query<{ name: string; holder: string }>()(({ name, holder }) =>
    sql.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder),
  ),
  put: query<{ kind: string; hash: string; subject: string; principal: string; until: number }>()(
    ({ kind, hash, subject, principal, until }) =>
      sql
        .insertInto('grants')
        .values({ kind, hash, subject, principal, expires_at: until })
        .onConflict((conflict) =>
          conflict.columns(['kind', 'hash']).doUpdateSet({ subject, principal, expires_at: until }),
        ),
  ),
  remove: query<{ kind: Grant['kind']; hash: string }>()(({ kind, hash }) =>
    sql
      .deleteFrom('grants')
      .where('kind', '=', kind)
      .where('hash', '=', hash)
      .returning(['principal', 'expires_at']),
  ),
  grant: query<{ kind: string; hash: string }>()(({ kind, hash }) =>
    sql
      .selectFrom('grants')
      .select(['principal', 'expires_at'])
      .where('kind', '=', kind)
      .where('hash', '=', hash),
  ),
}

/** What is held for a while: leases and grants. */
export const claimPrograms: Pick<Programs, 'lease' | 'release' | 'putGrant' | 'takeGrant' | 'removeGrant'> = {
  *lease(input) {
    return { value: (yield* queries.lease.run(input)) > 0 }
  },
  *release(input) {
    yield* queries.release.run(input)
    return { value: undefined }
  },
  *putGrant({ kind, hash, principal, expiresAt }) {
    const subject = subjectKey(principal)
    yield* queries.put.run({ kind, hash, subject, principal: JSON.stringify(principal), until: expiresAt })
    return { value: undefined }
  },
  *takeGrant({ kind, hash, now }) {
    return { value: grantOf({ kind, hash }, yield* queries.remove.get({ kind, hash }), now) }
  },
  *removeGrant(input) {
    yield* queries.remove.get(input)
    return { value: undefined }
  },
}

export function* grant(kind: Grant['kind'], hash: string, now: number): Program<Grant | undefined> {
  return grantOf({ kind, hash }, yield* queries.grant.get({ kind, hash }), now)
}

/** What a row stands for, unless its time is over. */
const grantOf = (
  key: Pick<Grant, 'kind' | 'hash'>,
  row: { principal: string; expires_at: number } | undefined,
  now: number,
): Grant | undefined => {
  if (row === undefined || row.expires_at <= now) return undefined
  return { ...key, principal: JSON.parse(row.principal), expiresAt: row.expires_at }
}
