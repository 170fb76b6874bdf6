import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ownerOnly } from '../auth/auth-settings.ts'
import { type SignInWorld, signInWorld } from '../auth/test-issuer.ts'
import { createTestBackend, ownerToken, type TestBackend } from '../test-backend.ts'

interface Sent {
  status: number
  cookies: string[]
  location: string
  text: string
}

/** With headers that fetch does not send. */
const send = (at: TestBackend, path: string, headers: Record<string, string>, method = 'GET') =>
  new Promise<Sent>((resolve, reject) => {
    const { port } = new URL(at.url)
    const sent = request({ host: '127.0.0.1', port, path, method, headers })
    sent.on('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const { 'set-cookie': cookies = [], location = '' } = response.headers
      resolve({
        ...{ status: response.statusCode ?? 0, cookies, location },
        text: Buffer.concat(chunks).toString('utf8'),
      })
    })
    sent.on('error', reject)
    sent.end()
  })

const forwarded = {
  host: 'berth.example',
  'x-forwarded-for': '198.51.100.66, 203.0.113.7',
  'x-forwarded-proto': 'https',
}

/** A login link that was followed: its cookie, and the address in the audit. */
const followed = async (at: TestBackend, headers: Record<string, string>) => {
  const { body } = await at.call<{ path: string }>('/api/login-links', { method: 'POST' })
  const { status, cookies } = await send(at, body.path, headers)
  const { items } = await at.parts.store.auditList({ action: 'login' }, { limit: 1 })
  return { status, cookie: cookies[0] ?? '', address: items[0]?.address }
}

describe('[P205] a proxy in front', () => {
  it.each<[string, string[], { address: string; secure: boolean }]>([
    [
      'is believed when it is a trusted one: who asks, and how',
      ['127.0.0.0/8'],
      { address: '203.0.113.7', secure: true },
    ],
    ['is not asked when it is another', ['10.0.0.0/8'], { address: '127.0.0.1', secure: false }],
    ['is nobody when none is named', [], { address: '127.0.0.1', secure: false }],
  ])('%s', async (_, trustedProxies, { address, secure }) => {
    const backend = await createTestBackend({
      auth: { ...ownerOnly, trustedProxies },
      allowedHosts: ['berth.example'],
    })
    try {
      const entry = await followed(backend, forwarded)
      // Of several addresses the last that no trusted proxy has: what stands before it, anybody may have written.
      expect(entry).toMatchObject({ status: 302, address })
      expect(entry.cookie).toMatch(
        secure ? /^__Host-berth_session=.*; Secure/ : /^berth_session=(?!.*Secure)/,
      )
      // The name that the browser used comes from a trusted proxy alone, and has to be one of ours.
      const evil = { ...forwarded, 'x-forwarded-host': 'evil.example', authorization: `Bearer ${ownerToken}` }
      expect((await send(backend, '/api/me', evil)).status).toBe(secure ? 403 : 200)
    } finally {
      await backend.dispose()
    }
  })
})

describe('[P205] an address of https', () => {
  let world: SignInWorld
  beforeAll(async () => {
    const allowedHosts = ['berth.example']
    world = await signInWorld({ auth: { publicUrl: 'https://berth.example' }, parts: { allowedHosts } })
  })
  afterAll(() => world.dispose())

  it('has cookies that no other host of the domain can put there, and no scheme but its own', async () => {
    const { status, cookies, location } = await send(world.backend, '/login', { host: 'berth.example' })
    expect(status).toBe(302)
    expect(new URL(location).searchParams.get('redirect_uri')).toBe('https://berth.example/login/callback')
    expect(cookies).toHaveLength(1)
    expect(cookies[0]).toMatch(
      /^__Host-berth_sign_in_\w+=[^;]+; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
  })

  it('takes the session from the cookie with the prefix, and from no other', async () => {
    const entry = await followed(world.backend, { host: 'berth.example' })
    expect(entry.cookie).toMatch(
      /^__Host-berth_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
    const value = /=([\w-]{43});/.exec(entry.cookie)?.[1]
    const me = (cookie: string) => send(world.backend, '/api/me', { host: 'berth.example', cookie })
    expect((await me(`__Host-berth_session=${value}`)).status).toBe(200)
    expect((await me(`berth_session=${value}`)).status).toBe(401)
    const out = await send(
      world.backend,
      '/api/logout',
      { host: 'berth.example', cookie: `__Host-berth_session=${value}` },
      'POST',
    )
    expect(out.cookies[0]).toMatch(/^__Host-berth_session=;.*Secure/)
  })

  it('is not that of this machine, where a browser takes no such cookie', async () => {
    expect((await followed(world.backend, { host: 'localhost' })).cookie).toMatch(
      /^berth_session=(?!.*Secure)/,
    )
  })
})

describe('[P205] an issuer that is away', () => {
  it('keeps nobody from starting Berth, and a new sign-in is told so in words, until it is back', async () => {
    const world = await signInWorld()
    try {
      world.issuer.away = true
      const page = await send(world.backend, '/login', { host: '127.0.0.1', accept: 'text/html' })
      expect([page.status, page.cookies]).toEqual([503, []])
      expect(page.text).toMatch(
        /The issuer http[^ ]+, which knows who people are, can.{1,6}t be reached or used/,
      )
      const program = await send(world.backend, '/login', { host: '127.0.0.1' })
      expect(JSON.parse(program.text)).toMatchObject({ status: 503, code: 'unavailable' })
      // Who needs no issuer is not affected.
      expect((await world.backend.call('/api/me')).status).toBe(200)
    } finally {
      await world.dispose()
    }
  })

  it('on the way back is not taken for a refusal', async () => {
    const world = await signInWorld()
    try {
      const browser = world.browser()
      const { url } = await browser.open(`${world.backend.url}/login`, {
        stop: ({ pathname }) => pathname === '/login/callback',
      })
      world.issuer.away = true
      const { status, text } = await browser.open(url)
      expect([status, /does not answer now. Begin again in a moment/.test(text)]).toEqual([503, true])
      world.issuer.away = false
      expect(await world.signIn('ada', browser)).toMatch(/^berth_session=/)
    } finally {
      await world.dispose()
    }
  })
})
