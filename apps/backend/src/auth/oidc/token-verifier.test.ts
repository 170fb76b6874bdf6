import { type IssuerKey, newIssuerKey, startIssuer, type Issuer as TestIssuer } from '@berth/testing'
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { oidcOf, people } from '../test-issuer.ts'
import { Issuer } from './issuer.ts'
import { TokenVerifier } from './token-verifier.ts'

let issuer: TestIssuer
const seconds = Math.floor(Date.now() / 1000)
let skew = 0
beforeAll(async () => {
  issuer = await startIssuer({ users: people() })
})
afterAll(() => issuer.close())

const now = () => seconds * 1000 + skew
const verifier = (more: Parameters<typeof oidcOf>[1] = { audiences: ['berth-api'] }) => {
  const settings = oidcOf(issuer, more)
  return new TokenVerifier({
    ...{ settings, owner: 'owner', now },
    issuer: new Issuer({ settings, now, warn: () => undefined }),
  })
}

const claims = (more: JWTPayload = {}): JWTPayload => ({
  ...{ sub: 'ada', aud: 'berth-api', email: 'ada@example.com', email_verified: true, groups: ['makers'] },
  ...{ iat: seconds, exp: seconds + 300 },
  ...more,
})

const outcome = async (token: string | Promise<string>, by = verifier()): Promise<string> =>
  by.verify(await token).then(
    ({ identity }) => identity.user,
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  )

describe('[P141] a token of the issuer', () => {
  it('names a person with their groups until it expires', async () => {
    expect(await verifier().verify(await issuer.mint(claims()))).toEqual({
      identity: { user: 'ada@example.com', groups: ['makers'] },
      issuedAt: seconds * 1000,
      expiresAt: (seconds + 300) * 1000,
    })
  })

  it.each<[string, JWTPayload, RegExp]>([
    ['has expired', { exp: seconds - 61 }, /^unauthenticated: The token has expired/],
    ['has no end', { exp: undefined }, /"exp"/],
    ['is good for too long', { exp: seconds + 25 * 3600 }, /longer than a day/],
    ['is not valid yet', { nbf: seconds + 61 }, /not valid yet/],
    ['is from the future', { iat: seconds + 61 }, /from the future/],
    ['is of another issuer', { iss: 'https://evil.example' }, /"iss"/],
    ['is for another audience', { aud: 'another' }, /another audience \("another"\)/],
    ['is for nobody', { aud: undefined }, /"aud"/],
    ['tells of a sign-out', { events: {} }, /event/],
    ['has an address that is not verified', { email_verified: false }, /not say that your email/],
    ['says "true" for verified', { email_verified: 'true' }, /not say that your email/],
    ['names a system user', { email: 'system:admin' }, /reserved/],
    ['names the owner', { email: 'owner' }, /reserved/],
    ['names nobody', { email: undefined }, /no usable claim "email"/],
  ])('is refused when it %s [S6]', async (_, change, reason) => {
    expect(await outcome(issuer.mint(claims(change)))).toMatch(reason)
  })

  it.each<[string, JWTPayload]>([
    ['ended', { exp: seconds - 59 }],
    ['began', { nbf: seconds + 59 }],
    ['was made', { iat: seconds + 59 }],
  ])('may have %s within a minute of what our clock says', async (_, change) => {
    expect(await outcome(issuer.mint(claims(change)))).toBe('ada@example.com')
  })

  it.each<[string, JWTPayload, boolean]>([
    ['an ID token for the page', { aud: 'berth' }, true],
    ['an ID token for the command line', { aud: 'berth-cli', azp: 'berth-cli' }, true],
    ['an access token for us, by any client', { aud: ['other', 'berth-api'], azp: 'robot' }, true],
    ['an ID token that another client has for us', { aud: 'berth', azp: 'evil' }, false],
    ['one for us among others, by nobody', { aud: ['berth', 'evil'] }, false],
    ['one by another client id', { aud: 'berth', client_id: 'evil' }, false],
  ])('is taken or not: %s', async (_, change, isTaken) => {
    const expected = isTaken ? /^ada@example.com$/ : /another audience/
    expect(await outcome(issuer.mint(claims(change)))).toMatch(expected)
  })

  it('is refused without a signature, with a shared secret, by another key, or of another type', async () => {
    const none = new UnsecuredJWT(claims({ iss: issuer.url })).encode()
    expect(await outcome(`${none}`)).toMatch(/^unauthenticated: .*(signed|valid)/)
    // The public key as a shared secret: what a verifier does that lets the token choose.
    const secret = new TextEncoder().encode(JSON.stringify(issuer.key.jwk.n))
    const shared = new SignJWT(claims({ iss: issuer.url }))
      .setProtectedHeader({ alg: 'HS256', kid: String(issuer.key.jwk.kid) })
      .sign(secret)
    expect(await outcome(shared)).toMatch(/signed in a way/)
    const foreign: IssuerKey = await newIssuerKey(String(issuer.key.jwk.kid))
    expect(await outcome(issuer.mint(claims(), { key: foreign }))).toMatch(/signature/)
    expect(await outcome(issuer.mint(claims(), { header: { typ: 'logout+jwt' } }))).toMatch(/type/)
    const [head = '', body = '', signature = ''] = (await issuer.mint(claims())).split('.')
    const swapped = Buffer.from(JSON.stringify(claims({ email: 'root@example.com' }))).toString('base64url')
    expect(await outcome(`${head}.${swapped}.${signature}`)).toMatch(/signature/)
    expect(await outcome(`${head}.${body}.${'A'.repeat(17_000)}`)).toMatch(/longer than/)
    expect(await outcome('a.b.c')).toMatch(/no valid JWT/)
  })

  it('is verified with the keys that the issuer has now', async () => {
    const by = verifier()
    const before = await issuer.mint(claims())
    expect(await outcome(before, by)).toBe('ada@example.com')
    await issuer.rotate()
    // Within the time in which the keys are not asked for again, a new key is not known; then it is.
    const fresh = verifier()
    expect(await outcome(issuer.mint(claims({ email: 'bob@example.com' })), fresh)).toBe('bob@example.com')
    expect(await outcome(before, fresh)).toMatch(/signature is not of a key/)
  })

  it('is remembered for five minutes at most, and never beyond its end', async () => {
    const by = verifier()
    const token = await issuer.mint(claims({ exp: seconds + 100 }))
    expect(await outcome(token, by)).toBe('ada@example.com')
    const asked = issuer.requests.length
    expect(await outcome(token, by)).toBe('ada@example.com')
    expect(issuer.requests.length).toBe(asked)
    skew = 161_000
    expect(await outcome(token, by)).toMatch(/expired/)
    skew = 0
  })

  it('can’t be judged while an issuer is away that was never asked', async () => {
    const token = await issuer.mint(claims())
    issuer.away = true
    expect(await outcome(token)).toMatch(/^unavailable: The issuer .* can't be reached/)
    issuer.away = false
  })
})
