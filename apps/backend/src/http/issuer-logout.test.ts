import { newIssuerKey } from '@berth/testing'
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SignInWorld, signInWorld } from '../auth/test-issuer.ts'
import { eventually } from '../test-backend.ts'
import { readStream } from './test-stream.ts'

let world: SignInWorld
beforeAll(async () => {
  const admins = [{ kind: 'group', id: 'makers' } as const]
  // Streams are looked after only when somebody asks for it.
  const parts = { recheckMs: 1e9 }
  world = await signInWorld({ auth: { rights: { admins, projectCreators: 'admins' } }, parts })
})
afterAll(() => world.dispose())

const event = 'http://schemas.openid.net/event/backchannel-logout'
const seconds = () => Math.floor(Date.now() / 1000)
let count = 0
const claims = (more: JWTPayload = {}): JWTPayload => ({
  ...{ aud: 'berth', jti: `logout-${count++}`, events: { [event]: {} }, sub: 'ada' },
  ...more,
})

/** As an issuer sends it. */
const tell = async (token: string, path = '/api/backchannel-logout') => {
  const body = new URLSearchParams({ logout_token: token })
  const answer = await fetch(new URL(path, world.backend.url), { method: 'POST', body })
  const { detail = '', code } = (await answer.json()) as { detail?: string; code?: string }
  return { status: answer.status, detail, code, cache: answer.headers.get('cache-control') }
}

const status = async (cookie: string) => (await world.me(cookie)).status

describe('[P149] a session that ends at the issuer', () => {
  it('ends here at once, with what it reads, and no other of the account', async () => {
    const browser = world.browser()
    const cookie = await world.signIn('ada', browser)
    const other = await world.signIn('ada')
    const stream = readStream(`${world.backend.url}/api/projects/default/changes`, { cookie })
    await eventually('the stream', stream.open)
    const page = await browser.open(`${world.issuer.url}/session/end`)
    await browser.submit(page, { logout: 'yes' })
    await stream.ended
    expect(stream.messages.at(-1)?.data.code).toBe('unauthenticated')
    expect(await status(cookie)).toBe(401)
    expect(await status(other)).toBe(200)
  })

  it.each<[string, JWTPayload, Record<string, unknown>]>([
    ['an account', {}, {}],
    ['a type of its own', {}, { typ: 'logout+jwt' }],
    ['several audiences', { aud: ['other', 'berth'] }, {}],
    ['no end of its own', { exp: undefined }, {}],
    ['a clock that goes a little ahead', { iat: seconds() + 50 }, {}],
  ])('is told of with %s, once, and leaves an entry in the audit', async (_, more, header) => {
    await tell(await world.issuer.mint(claims()))
    const cookies = [await world.signIn('ada'), await world.signIn('ada')]
    const bob = await world.signIn('bob')
    const token = await world.issuer.mint(claims(more), { header })
    expect(await tell(token)).toMatchObject({ status: 200, cache: 'no-store' })
    expect(await Promise.all([...cookies, bob].map(status))).toEqual([401, 401, 200])
    const { items } = await world.backend.parts.store.auditList({}, { limit: 1 })
    const actor = { kind: 'backend', id: 'issuer' }
    expect(items).toMatchObject([
      { action: 'logoutByIssuer', actor, result: 'done', details: { sessions: 2 } },
    ])
    const again = await world.signIn('ada')
    expect(await tell(token)).toMatchObject({ status: 400, detail: expect.stringMatching(/used already/) })
    expect(await status(again)).toBe(200)
    expect((await world.backend.parts.store.auditList({}, { limit: 1 })).items[0]?.action).toBe('login')
  })
})

describe('[P149] a word that is not the issuer’s, or not about a logout here', () => {
  it.each<[string, JWTPayload, RegExp, Record<string, unknown>?]>([
    ['another client', { aud: 'berth-cli' }, /"aud"/],
    ['nobody', { aud: undefined }, /"aud"/],
    ['another issuer', { iss: 'https://evil.example' }, /"iss"/],
    ['a time to come', { iat: seconds() + 600, exp: seconds() + 900 }, /future/],
    ['no time', { iat: undefined }, /"iat"/],
    ['a time long ago', { exp: seconds() - 120 }, /expired/],
    ['a time long ago, without an end', { iat: seconds() - 700, exp: undefined }, /expired/],
    ['a day and more', { exp: seconds() + 90_000 }, /longer than a day/],
    ['a nonce', { nonce: 'n' }, /nonce/],
    ['no event', { events: undefined }, /"events"/],
    ['another event', { events: { 'http://example.com/other': {} } }, /tells of no logout/],
    ['an event that is a word', { events: { [event]: 'yes' } }, /tells of no logout/],
    ['an inherited event', { events: [] as never }, /tells of no logout/],
    ['no number of its own', { jti: undefined }, /"jti"/],
    ['an odd number of its own', { jti: 7 as never }, /"jti"/],
    ['nobody to sign out', { sub: undefined }, /neither/],
    ['an odd session', { sid: 7 }, /not usable/],
    ['an endless session', { sid: 'x'.repeat(300) }, /not usable/],
    ['the type of an access token', {}, /type/, { typ: 'at+jwt' }],
  ])('ends nothing: one with %s', async (_, more, detail, header) => {
    const cookie = await world.signIn('ada')
    const answer = await tell(await world.issuer.mint(claims(more), { header }))
    expect(answer).toMatchObject({
      status: 400,
      code: 'invalid_input',
      detail: expect.stringMatching(detail),
    })
    expect(await status(cookie)).toBe(200)
  })

  it('ends nothing: by another key, by a shared secret, unsigned, or no token at all', async () => {
    const cookie = await world.signIn('ada')
    const all = claims({ iss: world.issuer.url, iat: seconds(), exp: seconds() + 60 })
    const secret = new TextEncoder().encode(JSON.stringify(world.issuer.key.jwk.n))
    const kid = String(world.issuer.key.jwk.kid)
    const tokens = [
      await world.issuer.mint(all, { key: await newIssuerKey(kid) }),
      await new SignJWT(all).setProtectedHeader({ alg: 'HS256', kid }).sign(secret),
      new UnsecuredJWT(all).encode(),
      ...['a.b.c', '', 'x'.repeat(19_000)],
    ]
    for (const token of tokens)
      expect(await tell(token)).toMatchObject({ status: 400, code: 'invalid_input' })
    expect(await status(cookie)).toBe(200)
  })

  it('and no other address takes a form, which other sites’ pages can send', async () => {
    expect((await tell('x', '/api/logout')).status).toBe(401)
    const body = new URLSearchParams({ name: 'x' })
    const cookie = await world.signIn('ada')
    const answer = await fetch(`${world.backend.url}/api/projects`, {
      method: 'POST',
      body,
      headers: { cookie },
    })
    expect(answer.status).toBe(415)
  })
})
