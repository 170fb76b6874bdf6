import type { DatabaseSync } from 'node:sqlite'
import type { Grant } from '../port.ts'
import type { Handlers } from './protocol.ts'
import { queriesOf, sql } from './query.ts'

/** What is held for a while: leases and grants. */
export const claimHandlers = (
  database: DatabaseSync,
): Pick<Handlers, 'lease' | 'release' | 'putGrant' | 'takeGrant' | 'removeGrant'> => {
  const query = queriesOf(database)
  const lease = query<{ name: string; holder: string; now: number; until: number }>()(
    ({ name, holder, now, until }) =>
      sql
        .insertInto('leases')
        .values({ name, holder, expires_at: until })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ holder, expires_at: until })
            .where(({ eb, or }) =>
              or([eb('leases.holder', '=', holder), eb('leases.expires_at', '<=', now)]),
            ),
        ),
  )
  const release = query<{ name: string; holder: string }>()(({ name, holder }) =>
    sql.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder),
  )
  const put = query<{ kind: string; hash: string; principal: string; until: number }>()(
    ({ kind, hash, principal, until }) =>
      sql.replaceInto('grants').values({ kind, hash, principal, expires_at: until }),
  )
  const remove = query<{ kind: Grant['kind']; hash: string }>()(({ kind, hash }) =>
    sql
      .deleteFrom('grants')
      .where('kind', '=', kind)
      .where('hash', '=', hash)
      .returning(['principal', 'expires_at']),
  )
  return {
    lease: ({ name, holder, now, ttlMs }) => ({
      value: lease.run({ name, holder, now, until: now + ttlMs }) > 0,
    }),
    release: (input) => {
      release.run(input)
      return { value: undefined }
    },
    putGrant: ({ kind, hash, principal, expiresAt }) => {
      put.run({ kind, hash, principal: JSON.stringify(principal), until: expiresAt })
      return { value: undefined }
    },
    takeGrant: ({ kind, hash, now }) => {
      const row = remove.get({ kind, hash })
      if (row === undefined || row.expires_at <= now) return { value: undefined }
      return { value: { kind, hash, principal: JSON.parse(row.principal), expiresAt: row.expires_at } }
    },
    removeGrant: (input) => {
      remove.get(input)
      return { value: undefined }
    },
  }
}
