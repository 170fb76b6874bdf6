import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SignInWorld, signInWorld } from '../test-issuer.ts'

let world: SignInWorld
beforeAll(async () => {
  const admins = [{ kind: 'group', id: 'operators' } as const]
  world = await signInWorld({
    auth: { rights: { admins, projectCreators: [{ kind: 'group', id: 'makers' }] } },
  })
})
afterAll(() => world.dispose())

/** A sign-in up to the address to which the issuer sends the browser back. */
const toCallback = async (user: string, path = '/login') => {
  world.issuer.current = user
  const browser = world.browser()
  const { url } = await browser.open(`${world.backend.url}${path}`, {
    stop: ({ pathname }) => pathname === '/login/callback',
  })
  return { browser, url }
}

const refusal = async (visit: Promise<{ status: number; text: string }>) => {
  const { status, text } = await visit
  return [status, /<p>(.*?)<\/p>/.exec(text)?.[1] ?? ''] as const
}

describe('[P140] signing in at the issuer', () => {
  it('makes a session for who the claims name, with their groups, and leaves what is reserved out [S6]', async () => {
    const cookie = await world.signIn('ada')
    expect(cookie).toMatch(/^berth_session=usr\.[\w-]{43}$/)
    const { body } = await world.me(cookie)
    expect(body).toMatchObject({
      principal: { kind: 'user', id: 'ada@example.com', name: 'Ada' },
      platformAdmin: false,
      mayCreateProjects: true,
    })
    expect((await world.me(await world.signIn('bob'))).body).toMatchObject({ mayCreateProjects: false })
  })

  it('goes back to a page of ours, and to no other', async () => {
    const stop = ({ pathname }: URL) => pathname === '/docs/static/index.html'
    const there = await world
      .browser()
      .open(`${world.backend.url}/login?return_to=/docs/static/index.html`, { stop })
    expect([there.status, new URL(there.url).pathname]).toEqual([0, '/docs/static/index.html'])
    const { url } = await world.browser().open(`${world.backend.url}/login?return_to=//evil.example/docs`)
    expect(url).toMatch(new RegExp(`^${world.backend.url}/docs`))
  })

  it.each([
    ['eve', /does not say that your email address is verified/],
    ['root', /reserved/],
  ])('refuses %s, whose claims may not name anybody [S6]', async (user, reason) => {
    const { browser, url } = await toCallback(user)
    const [status, said] = await refusal(browser.open(url))
    expect([status, said]).toEqual([401, expect.stringMatching(reason)])
    expect(browser.cookies(world.backend.url)).toBe('')
  })

  it('is finished once, by the browser that began it [S7]', async () => {
    const { browser, url } = await toCallback('ada')
    const thief = world.browser()
    expect((await refusal(thief.open(url)))[1]).toMatch(/another browser/)
    const jar = browser.cookies(url)
    expect((await browser.open(url)).status).toBe(200)
    for (const pair of jar.split('; ')) thief.setCookie(url, pair)
    expect((await refusal(thief.open(url)))[1]).toMatch(/finished already/)
  })

  it('refuses a state that was changed, and the code of another sign-in', async () => {
    const [one, two] = [await toCallback('ada'), await toCallback('bob')]
    const stateOf = (url: string) => new URL(url).searchParams.get('state') ?? ''
    const other = new URL(one.url)
    other.searchParams.set('state', stateOf(two.url))
    expect((await refusal(one.browser.open(other.href)))[1]).toMatch(/another browser/)
    const code = new URL(one.url)
    code.searchParams.set('code', new URL(two.url).searchParams.get('code') ?? '')
    expect((await refusal(one.browser.open(code.href)))[1]).toMatch(/invalid_grant/)
  })

  it.each([
    ['nonce', { nonce: 'another' }],
    ['aud', { aud: 'another-client' }],
    ['iss', { iss: 'https://evil.example' }],
    ['exp', { exp: 1 }],
  ])('refuses an ID token with a wrong %s', async (_, change) => {
    world.issuer.forge = (claims) => ({ ...claims, ...change })
    const { browser, url } = await toCallback('ada')
    const [status, said] = await refusal(browser.open(url))
    world.issuer.forge = undefined
    expect([status, said]).toEqual([401, expect.stringMatching(/not valid/)])
  })

  it('tells what the issuer says when it refuses', async () => {
    const { browser, url } = await toCallback('ada')
    const at = new URL(url)
    at.searchParams.delete('code')
    at.searchParams.set('error', 'access_denied')
    at.searchParams.set('error_description', 'not <today>')
    expect((await refusal(browser.open(at.href)))[1]).toMatch(/access_denied: not &lt;today&gt;/)
  })

  it('gives a browser that signs in again another session, and ends the one before', async () => {
    const browser = world.browser()
    const before = await world.signIn('ada', browser)
    const after = await world.signIn('ada', browser)
    expect(after).not.toBe(before)
    expect((await world.me(before)).status).toBe(401)
    expect((await world.me(after)).status).toBe(200)
  })

  it('ends with a sign-out, which names where the issuer ends its own', async () => {
    const cookie = await world.signIn('ada')
    const out = await world.backend.call<{ issuer?: string }>('/api/logout', {
      ...{ token: null, method: 'POST', headers: { cookie } },
    })
    const end = new URL(out.body.issuer ?? '')
    expect(`${end.origin}${end.pathname}`).toBe(`${world.issuer.url}/session/end`)
    expect(end.searchParams.get('id_token_hint')).toMatch(/^ey/)
    expect((await world.me(cookie)).status).toBe(401)
  })

  it('holds no other site’s page: not by its origin, nor by the way it is fetched [S19]', async () => {
    const cookie = await world.signIn('ada')
    const post = (headers: Record<string, string>) =>
      world.backend.call<{ code?: string }>('/api/logout', {
        ...{ token: null, method: 'POST', headers: { cookie, ...headers } },
      })
    expect((await post({ origin: 'https://evil.example' })).body.code).toBe('origin_not_allowed')
    expect((await post({ 'sec-fetch-site': 'cross-site' })).body.code).toBe('origin_not_allowed')
    expect((await world.me(cookie)).status).toBe(200)
  })

  it('keeps working for who is signed in while the issuer is away, and says so to others', async () => {
    const cookie = await world.signIn('ada')
    world.issuer.away = true
    const { browser, url } = { browser: world.browser(), url: `${world.backend.url}/login/callback` }
    expect((await world.me(cookie)).status).toBe(200)
    expect((await browser.open(`${url}?state=x&code=y`)).status).toBe(401)
    world.issuer.away = false
  })
})
