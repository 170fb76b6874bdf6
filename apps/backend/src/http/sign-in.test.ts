import { request } from 'node:http'
import { type Clock, systemClock } from '@berth/runtime'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type CallOptions,
  createTestBackend,
  ownerToken,
  type TestBackend,
  withBackend,
} from '../test-backend.ts'

let backend: TestBackend
beforeAll(async () => {
  backend = await createTestBackend({ allowedHosts: ['berth.example'] })
})
afterAll(() => backend.dispose())

const link = async ({ call }: TestBackend): Promise<string> =>
  (await call<{ path: string }>('/api/login-links', { method: 'POST' })).body.path

const follow = async (at: TestBackend, path: string) => {
  const answer = await at.call(path, { token: null })
  return { ...answer, cookie: answer.headers.get('set-cookie') ?? '' }
}

const codeOf = async (at: TestBackend, options: CallOptions & { path?: string }) =>
  (await at.call<{ code?: string }>(options.path ?? '/api/me', options)).body.code

/** With headers that fetch sets itself. */
const bare = (headers: Record<string, string>, path = '/api/me'): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(backend.url)
    const all = { authorization: `Bearer ${ownerToken}`, ...headers }
    const sent = request({ host: '127.0.0.1', port, path, headers: all })
    sent.on('response', (response) => resolve(response.resume().statusCode ?? 0))
    sent.on('error', reject)
    sent.end()
  })

describe('a login link', () => {
  it('signs one browser in, once, until it signs out', async () => {
    const path = await link(backend)
    const { status, cookie, headers } = await follow(backend, path)
    expect([status, headers.get('location')]).toEqual([302, '/docs'])
    expect(cookie).toMatch(/^berth_session=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/)
    expect((await follow(backend, path)).body).toMatchObject({ code: 'unauthenticated' })
    const signedIn = { token: null, headers: { cookie: cookie.split(';')[0] ?? '' } }
    expect((await backend.call('/api/me', signedIn)).body).toMatchObject({ platformAdmin: true })
    const created = { ...signedIn, method: 'POST', path: '/api/projects/default/sessions', body: {} }
    expect(await codeOf(backend, created)).toBeUndefined()
    const foreign = { ...signedIn.headers, origin: 'https://evil.example' }
    expect(await codeOf(backend, { ...created, headers: foreign })).toBe('origin_not_allowed')
    const out = await backend.call('/api/logout', { ...signedIn, method: 'POST' })
    expect([out.status, out.body]).toEqual([200, {}])
    expect(out.headers.get('set-cookie')).toMatch(/^berth_session=;/)
    expect(await codeOf(backend, signedIn)).toBe('unauthenticated')
  })

  it('is good for five minutes, the cookie for thirty days', async () => {
    let later = 0
    const clock: Clock = { ...systemClock, now: () => Date.now() + later }
    const pass = (ms: number) => {
      later += ms
    }
    await withBackend(
      async (at) => {
        const [late, early] = [await link(at), await link(at)]
        pass(4 * 60_000)
        const { cookie } = await follow(at, early)
        pass(60_000)
        expect((await follow(at, late)).body).toMatchObject({ code: 'unauthenticated' })
        const headers = { cookie: cookie.split(';')[0] ?? '' }
        pass(29 * 24 * 3600_000)
        expect(await codeOf(at, { token: null, headers })).toBeUndefined()
        pass(24 * 3600_000)
        expect(await codeOf(at, { token: null, headers })).toBe('unauthenticated')
      },
      { clock },
    )
  })

  it('outlives a restart', () =>
    withBackend(async (at) => {
      const { cookie } = await follow(at, await link(at))
      await at.restart()
      const headers = { cookie: cookie.split(';')[0] ?? '' }
      expect(await codeOf(at, { token: null, headers })).toBeUndefined()
    }))

  it.each(['', 'x', '../..'])('with the ticket %j does nothing', async (ticket) => {
    expect((await follow(backend, `/login?ticket=${ticket}`)).status).toBe(401)
  })
})

describe('other pages', () => {
  it.each([
    [{ host: 'evil.example' }, 403],
    [{ host: 'localhost.evil.example:7420' }, 403],
    [{ host: 'berth.example' }, 200],
    [{ host: 'BERTH.example:443' }, 200],
    [{ host: 'localhost:1' }, 200],
    [{ host: 'localhost:1', origin: 'http://localhost:2' }, 403],
    [{ host: 'localhost:1', origin: 'http://localhost:1' }, 200],
    [{ host: 'localhost:1', 'sec-fetch-site': 'cross-site' }, 403],
  ])('%j: %i', async (headers, status) => {
    expect(await bare(headers as unknown as Record<string, string>)).toBe(status)
  })

  it('may link to the documentation, but neither frame nor read it under another name', async () => {
    expect(await bare({ host: 'localhost', 'sec-fetch-site': 'cross-site' }, '/docs')).toBe(200)
    for (const path of ['/docs', '/openapi.json', '/nothing', '/livez'])
      expect(await bare({ host: 'evil.example' }, path)).toBe(403)
  })
})

describe('the documentation', () => {
  it('is a page that works under its own policy, and sends nothing', async () => {
    const page = await backend.call<string>('/docs', { token: null })
    const html = String(page.body)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    for (const [, attributes = '', inline = ''] of html.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)) {
      expect(inline.trim()).toBe('')
      const source = /src="([^"]+)"/.exec(attributes)?.[1] ?? ''
      const script = await backend.call<string>(new URL(source, `${backend.url}/docs`).pathname, {
        token: null,
      })
      expect([source, script.status]).toEqual([source, 200])
    }
    const start = await backend.call<string>('/docs/static/swagger-initializer.js', { token: null })
    expect(String(start.body)).toContain('"supportedSubmitMethods":[]')
  })

  it('is valid OpenAPI 3.1, with every row', async () => {
    const { body } = await backend.call<Record<string, object>>('/openapi.json', { token: null })
    const result = await new Validator().validate(body)
    expect(result).toEqual({ valid: true })
    expect(body.openapi).toBe('3.1.0')
    expect(Object.keys(body.paths ?? {})).toContain('/api/projects/{project}/sessions/{session}/events')
  })
})

describe('the token for metrics', () => {
  it('opens the metrics, and no more than a stranger may', async () => {
    const token = 'a-metrics-token-that-is-long-enough'
    await withBackend(
      async (at) => {
        expect((await at.call('/metrics', { token })).status).toBe(200)
        expect((await at.call('/metrics', { token: `${token}x` })).status).toBe(401)
        expect((await at.call('/api/me', { token })).body).toMatchObject({
          principal: { kind: 'service', id: 'metrics' },
          platformAdmin: false,
          mayCreateProjects: false,
        })
        expect((await at.call('/api/projects', { token })).body).toMatchObject({ items: [] })
        expect((await at.call('/api/login-links', { token, method: 'POST' })).status).toBe(403)
        expect((await at.call('/api/projects/default/sessions', { token })).status).toBe(404)
      },
      { metricsToken: token },
    )
  })
})
