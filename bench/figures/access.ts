import { randomBytes } from 'node:crypto'
import { routes } from '@berth/contract'
import { Access } from '../../apps/backend/src/auth/access.ts'
import { makeApiKey } from '../../apps/backend/src/auth/api-key.ts'
import { KeyAuthenticator } from '../../apps/backend/src/auth/key-authenticator.ts'
import { sha256 } from '../../apps/backend/src/auth/sha256.ts'
import type { Store } from '../../apps/backend/src/store/port.ts'
import { type Figure, percentile } from '../figure.ts'
import { seed } from '../support/seed.ts'
import { withStore } from '../support/store.ts'

const members = 500
const warm = 2000
const count = 10_000

/** DESIGN: authentication and authorisation add at most 0.3 ms to a request. */
export const access: Figure = {
  name: 'access',
  about: `who is asking, and may they: what a request costs before it is served (SQLite, ${members} members)`,
  run: () =>
    withStore(async (store) => {
      const [session = ''] = await seed(store, 1)
      const bearer = await fill(store)
      const keys = new KeyAuthenticator({ store, now: Date.now, failed: () => undefined })
      const rights = new Access(store)
      const params = { project: 'default', session }
      const times: number[] = []
      for (let i = 0; i < warm + count; i++) {
        const started = performance.now()
        await rights.authorise(await keys.authenticate({ bearer }), routes.getSession, params)
        if (i >= warm) times.push(performance.now() - started)
      }
      const row = (what: string, share: number) => ({
        what,
        value: percentile(times, share),
        unit: 'ms' as const,
      })
      return [
        { ...row('API key, role and session: p50', 0.5), goal: { atMost: 0.3 }, note: `${count} in a row` },
        row('the same: p99', 0.99),
      ]
    }),
}

/** A project with as many members as it may have; the secret of a key that is one. */
const fill = async (store: Store): Promise<string> => {
  const addedBy = { kind: 'user', id: 'bench' } as const
  for (let i = 1; i < members; i++)
    await store.setMember({
      ...{ project: 'default', kind: 'user', id: `user-${i}@example.com`, role: 'viewer' },
      ...{ addedAt: 0, addedBy },
    })
  const { id, secret } = makeApiKey(Date.now(), randomBytes)
  await store.createKey({
    ...{ id, project: 'default', name: 'bench', role: 'editor', hash: sha256(secret), createdBy: addedBy },
    ...{ now: Date.now(), expiresAt: Date.now() + 86_400_000 },
  })
  return secret
}
