import { randomBytes } from 'node:crypto'
import { routes } from '@berth/contract'
import { systemClock } from '@berth/runtime'
import { pino } from 'pino'
import { Access } from '../../apps/backend/src/auth/access.ts'
import { makeApiKey } from '../../apps/backend/src/auth/api-key.ts'
import { ownerOnly } from '../../apps/backend/src/auth/auth-settings.ts'
import { personPrefix } from '../../apps/backend/src/auth/browser/browser-authenticator.ts'
import { cookiesOf } from '../../apps/backend/src/auth/browser/cookies.ts'
import { KeyAuthenticator, withKeys } from '../../apps/backend/src/auth/key-authenticator.ts'
import { openAuth } from '../../apps/backend/src/auth/open-auth.ts'
import { sha256 } from '../../apps/backend/src/auth/sha256.ts'
import { identify } from '../../apps/backend/src/http/identify.ts'
import { createCipher } from '../../apps/backend/src/secrets/cipher.ts'
import { createKeyRing } from '../../apps/backend/src/secrets/key-ring.ts'
import type { Store } from '../../apps/backend/src/store/port.ts'
import { type Issuer, startIssuer } from '../../packages/testing/src/issuer/start-issuer.ts'
import { type Figure, percentile, type Row } from '../figure.ts'
import { byTurns } from '../support/by-turns.ts'
import { seed } from '../support/seed.ts'
import { withPostgres, withStore } from '../support/store.ts'

const members = 500
const warm = 2000
const count = 10_000
/** JWTs that were never seen before. */
const fresh = 500

const person = { user: 'ada@example.com', groups: Array.from({ length: 20 }, (_, i) => `team-${i}`) }

/** DESIGN: authentication and authorisation add at most 0.3 ms to a request. */
export const access: Figure = {
  name: 'access',
  about: `who is asking, and may they: what a request costs before it is served (${members} members; people have ${person.groups.length} groups)`,
  run: async () => {
    const issuer = await startIssuer({ users: {} })
    try {
      return [
        ...(await withStore((store) => measure('SQLite', store, issuer))),
        ...(await withPostgres((store) => measure('PostgreSQL', store, issuer))),
      ]
    } finally {
      await issuer.close()
    }
  },
}

const measure = async (name: string, store: Store, issuer: Issuer): Promise<Row[]> => {
  const [session = ''] = await seed(store, 1)
  const { authorise, close } = open(store, issuer)
  const first = await mint(issuer, fresh)
  const apiKey = await key(store)
  const jwt = { authorization: `Bearer ${(await mint(issuer, 1))[0]}` }
  const cookie = await browser(store)
  const once = (headers: Headers) => timed(() => authorise(headers, { project: 'default', session }))
  // By turns: whatever else the machine does meanwhile falls on all of them.
  const times = await byTurns(
    { rounds: count, warm },
    {
      read: () => timed(() => store.projectState('default')),
      key: () => once(apiKey),
      jwt: () => once(jwt),
      cookie: () => once(cookie),
    },
  )
  const unseen: number[] = []
  for (const token of first) unseen.push(await once({ authorization: `Bearer ${token}` }))
  close()
  const row = (what: string, list: number[]): Row => ({
    what: `${name}: ${what}: p50`,
    value: percentile(list, 0.5),
    unit: 'ms',
    note: `p99 ${percentile(list, 0.99).toFixed(2)} ms of ${list.length}`,
  })
  const goal = { atMost: 0.3 }
  return [
    row('one small read of the store', times.read),
    { ...row('API key, role, session', times.key), goal },
    { ...row('JWT of the issuer, role, session', times.jwt), goal },
    { ...row('cookie of a browser, role, session', times.cookie), goal },
    // Once in five minutes for each token.
    row('JWT seen for the first time, role, session', unseen),
  ]
}

const timed = async (task: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await task()
  return performance.now() - started
}

interface Headers {
  authorization?: string
  cookie?: Record<string, string>
}

/** What the backend does before it serves a request, with every kind of credential that it may be sent. */
const open = (store: Store, issuer: Issuer) => {
  const publicUrl = () => 'http://127.0.0.1:1'
  const now = Date.now
  const auth = openAuth({
    ...{ store, publicUrl, clock: systemClock, log: pino({ level: 'error' }) },
    settings: {
      ...ownerOnly,
      oidc: {
        ...{ issuer: issuer.url, clientId: issuer.clients.page, clientSecret: undefined, scopes: ['openid'] },
        claims: { user: 'email', name: 'name', groups: 'groups' },
        ...{ audiences: ['berth-api'], cliClientId: issuer.clients.cli },
      },
    },
    ...{ ownerToken: 'brt_owner_bench-token-long-enough', owner: { id: 'owner', name: 'Bench' } },
    cipher: createCipher(createKeyRing('bench', new Map([['bench', randomBytes(32)]]))),
    random: randomBytes,
  })
  const keys = new KeyAuthenticator({ store, now, failed: () => undefined })
  const deps = { auth, publicUrl, authenticator: withKeys(keys, auth.authenticator) }
  const rights = new Access(store)
  return {
    authorise: async (
      { authorization, cookie = {} }: Headers,
      place: { project: string; session: string },
    ) => {
      const request = {
        headers: { host: '127.0.0.1:1', authorization },
        raw: { rawHeaders: ['host', '127.0.0.1:1', 'authorization', authorization ?? ''] },
        ...{ cookies: cookie, ip: '127.0.0.1', host: '127.0.0.1:1', protocol: 'http' },
      } as unknown as Parameters<typeof identify>[1]
      await rights.authorise(await identify(deps, request), routes.getSession, place)
    },
    close: () => void auth.close(),
  }
}

const mint = (issuer: Issuer, wanted: number): Promise<string[]> =>
  Promise.all(
    Array.from({ length: wanted }, (_, i) =>
      issuer.mint({
        ...{ sub: 'ada', aud: 'berth-api', jti: String(i) },
        ...{ email: person.user, email_verified: true, groups: person.groups },
      }),
    ),
  )

const hourMs = 3_600_000

/** The last group of somebody who is signed in is a member. */
const browser = async (store: Store): Promise<Headers> => {
  const cookie = `${personPrefix}${randomBytes(32).toString('base64url')}`
  const now = Date.now()
  await store.createBrowserSession({
    ...{ hash: sha256(cookie), subject: 'ada', identity: person, sealed: 'x'.repeat(1500) },
    ...{ createdAt: now, usedAt: now, refreshAt: now + hourMs, expiresAt: now + hourMs },
  })
  return { cookie: { [cookiesOf(false).session]: cookie } }
}

/** A project with as many members as it may have, some of them groups; a key that is one. */
const key = async (store: Store): Promise<Headers> => {
  const addedBy = { kind: 'user', id: 'bench' } as const
  for (let i = 1; i < members; i++) {
    const subject =
      i === 1
        ? { kind: 'group' as const, id: person.groups.at(-1) ?? '' }
        : { kind: 'user' as const, id: `user-${i}@example.com` }
    await store.setMember({ project: 'default', ...subject, role: 'viewer', addedAt: 0, addedBy })
  }
  const { id, secret } = makeApiKey(Date.now(), randomBytes)
  await store.createKey({
    ...{ id, project: 'default', name: 'bench', role: 'editor', hash: sha256(secret), createdBy: addedBy },
    ...{ now: Date.now(), expiresAt: Date.now() + 86_400_000 },
  })
  return { authorization: `Bearer ${secret}` }
}
