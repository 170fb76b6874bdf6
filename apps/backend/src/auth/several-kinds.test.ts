import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBackend, ownerToken } from '../test-backend.ts'
import { type SignInWorld, signInWorld } from './test-issuer.ts'
import type { TokenReviewer } from './token-review/token-reviewer.ts'

let world: SignInWorld
const token = (claims: object) =>
  `e30.${Buffer.from(JSON.stringify({ iss: 'https://cluster', iat: 1, ...claims })).toString('base64url')}.c2ln`

let closed = 0
/** A cluster that knows a service account with an annotation, an admin, and a person. */
const reviewer: TokenReviewer = {
  review: async (given) => {
    const { user = '', audiences = ['berth'] } = JSON.parse(
      Buffer.from(given.split('.')[1] ?? '', 'base64url').toString('utf8'),
    )
    if (user === 'away') throw new Error('no answer')
    return user === 'unknown'
      ? { authenticated: false }
      : { authenticated: true, user, groups: ['system:authenticated', 'devs'], audiences }
  },
  check: async () => ({ name: 'sign-in rights', state: 'fail', detail: 'none', repair: 'Give some.' }),
  close: async () => undefined,
}

beforeAll(async () => {
  const admins = [{ kind: 'group', id: 'system:authenticated' } as const]
  world = await signInWorld({
    auth: {
      tokenReview: { audience: 'berth' },
      rights: { admins, projectCreators: 'admins' },
      trustedProxies: [],
    },
    parts: { tokenReviewer: reviewer, freeFailures: 40 },
  })
})
afterAll(() => world.dispose())

const me = async (given: string) => {
  const { status, body } = await world.backend.call<Record<string, unknown>>('/api/me', { token: given })
  return status === 200 ? body.principal : { status, detail: body.detail }
}

/** With headers that fetch does not send. */
const raw = (headers: string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(world.backend.url)
    const sent = request({ host: '127.0.0.1', port, path: '/api/me', headers })
    sent.on('response', (response) => resolve(response.resume().statusCode ?? 0))
    sent.on('error', reject)
    sent.end()
  })

describe('[P144] several kinds of credentials', () => {
  it('are known by their form, all at once', async () => {
    const jwt = await world.issuer.mint({ aud: 'berth', email: 'ada@example.com', email_verified: true })
    expect(await me(ownerToken)).toMatchObject({ id: 'owner' })
    expect(await me(jwt)).toMatchObject({ kind: 'user', id: 'ada@example.com' })
    expect(await me(token({ user: 'system:serviceaccount:team:bot' }))).toEqual({
      kind: 'service',
      id: 'kubernetes:team:bot',
    })
    expect((await world.me(await world.signIn('bob'))).body).toMatchObject({
      principal: { id: 'bob@example.com' },
    })
  })

  it('that are bad are refused as what they are, and tried as nothing else', async () => {
    const cookie = await world.signIn('ada')
    const refused = async (given: string) => {
      const answer = await world.backend.call<{ detail: string }>('/api/me', {
        token: given,
        headers: { cookie },
      })
      return `${answer.status} ${answer.body.detail}`
    }
    expect(await refused('brt_owner_another-one-of-the-right-length')).toMatch(/^401 .*owner’s token/)
    expect(await refused(`brt_key_${'a'.repeat(60)}`)).toMatch(/^401 /)
    const old = await world.issuer.mint({ aud: 'berth', exp: 1, email: 'ada@example.com' })
    expect(await refused(old)).toMatch(/^401 The token has expired/)
    expect(await refused('something-else')).toMatch(/^401 This token is not one that opens this Berth/)
  })

  it('do not come from headers of proxies, nor from two that contradict each other [S1]', async () => {
    const { host } = new URL(world.backend.url)
    const forged = [
      'Host',
      host,
      'X-Forwarded-User',
      'owner',
      'X-Remote-User',
      'owner',
      'X-Forwarded-Groups',
      'a',
    ]
    expect(await raw(forged)).toBe(401)
    const good = ['Host', host, 'Authorization', `Bearer ${ownerToken}`]
    expect(await raw(good)).toBe(200)
    expect(await raw([...good, 'Authorization', 'Bearer other'])).toBe(401)
    // Without a trusted proxy, nobody else says what the host is.
    expect(await raw([...good, 'X-Forwarded-Host', 'evil.example'])).toBe(200)
  })

  it('open what is public, whatever they are', async () => {
    expect((await world.backend.call('/livez', { token: 'something-else' })).status).toBe(200)
  })
})

describe('[P145] a token of a Kubernetes cluster', () => {
  it.each<[string, object, object]>([
    [
      'a person is known by a name of the cluster’s',
      { user: 'jane' },
      { kind: 'user', id: 'kubernetes:jane' },
    ],
    ['another audience', { user: 'jane', audiences: ['https://kubernetes'] }, { status: 401 }],
    ['a system user', { user: 'system:admin' }, { status: 401 }],
    ['one that the cluster does not know', { user: 'unknown' }, { status: 401 }],
    ['a cluster that is away', { user: 'away' }, { status: 503 }],
  ])('%s [S6]', async (_, claims, expected) => {
    expect(await me(token(claims))).toMatchObject(expected)
  })

  it('never makes a service account somebody else, or more than its own name says [S5]', async () => {
    const given = token({ user: 'system:serviceaccount:team:bot', 'created-by-user-id': 'owner' })
    const { body } = await world.backend.call('/api/me', { token: given })
    // Its group system:authenticated is configured as admin, and does not count.
    expect(body).toMatchObject({ principal: { id: 'kubernetes:team:bot' }, platformAdmin: false })
  })
})

describe('[P147] the connections to the cluster', () => {
  it('end with the backend', async () => {
    const parts = { tokenReviewer: { ...reviewer, close: async () => void closed++ } }
    const other = await createTestBackend(parts)
    await other.dispose()
    expect(closed).toBe(1)
  })
})

describe('[P146] guesses at the API', () => {
  it('have to wait longer and longer, while a token that was good goes on', async () => {
    expect(await me(ownerToken)).toMatchObject({ id: 'owner' })
    let answer = await world.backend.call<{ code?: string }>('/api/me', { token: 'guess' })
    for (let i = 0; i < 60 && answer.status === 401; i++)
      answer = await world.backend.call('/api/me', { token: `guess-${i}` })
    expect([answer.status, answer.body.code]).toEqual([429, 'too_many_attempts'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await me(ownerToken)).toMatchObject({ id: 'owner' })
  })
})
