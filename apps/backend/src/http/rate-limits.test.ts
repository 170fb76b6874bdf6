import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Authenticator } from '../auth/authenticator.ts'
import { createTestBackend, ownerToken, type TestBackend } from '../test-backend.ts'
import { parseRateLimits } from './rate-settings.ts'

/** Everybody is who they say; `root` is the owner. */
const authenticator: Authenticator = {
  authenticate: async ({ bearer }) =>
    bearer === undefined
      ? undefined
      : {
          actor: { kind: 'user', id: bearer },
          subjects: [{ kind: 'user', id: bearer }],
          platformAdmin: bearer === ownerToken,
          mayCreateProjects: false,
          unlimited: bearer === ownerToken,
        },
}

let backend: TestBackend
beforeAll(async () => {
  backend = await createTestBackend({ authenticator, rateLimits: { read: 3, write: 2, expensive: 1 } })
})
afterAll(() => backend.dispose())

const ask = async (token: string | null, path: string, method = 'GET') =>
  backend.call(path, { token, method, body: method === 'GET' ? undefined : {} })

describe('[P200] rate limits', () => {
  it('stop a principal that asks too fast, say how long, and no other', async () => {
    const answers = []
    for (let i = 0; i < 4; i++) answers.push(await ask('ada', '/api/me'))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(answers.map(({ headers }) => headers.get('ratelimit'))).toEqual([
      expect.stringMatching(/^"read";r=2;t=\d+$/),
      expect.stringMatching(/^"read";r=1;t=\d+$/),
      expect.stringMatching(/^"read";r=0;t=\d+$/),
      expect.stringMatching(/^"read";r=0;t=\d+$/),
    ])
    const last = answers.at(-1)
    expect(last?.body).toMatchObject({ code: 'rate_limited', retryable: true })
    expect(last?.headers.get('ratelimit-policy')).toBe('"read";q=3;w=10')
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ask('bob', '/api/me')).status).toBe(200)
  })

  it('count classes apart, and what is refused too', async () => {
    const statuses = []
    for (let i = 0; i < 3; i++)
      statuses.push((await ask('eve', '/api/projects/default/sessions/x/prompts', 'POST')).status)
    expect(statuses).toEqual([404, 404, 429])
    expect((await ask('eve', '/api/projects/default/sessions', 'POST')).status).toBe(404)
    expect((await ask('eve', '/api/projects/default/sessions', 'POST')).status).toBe(429)
    expect((await ask('eve', '/api/me')).status).toBe(200)
  })

  it('are none for the owner, and none for probes', async () => {
    for (let i = 0; i < 5; i++) {
      expect((await ask(ownerToken, '/api/me')).status).toBe(200)
      expect((await ask(null, '/livez')).status).toBe(200)
    }
  })
})

describe('parseRateLimits', () => {
  it('takes what is given, and the usual for the rest', () => {
    expect(parseRateLimits(['read=5', 'write=0'])).toEqual({ read: 5, write: 0, expensive: 60 })
  })

  it.each(['read', 'read=', 'read=-1', 'toString=1', 'read=5;'])('refuses %j', (item) => {
    expect(() => parseRateLimits([item])).toThrow(/expected entries such as read=2000/)
  })
})
