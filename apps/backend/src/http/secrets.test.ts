import { limits, type Secret } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { openTokens, sealTokens } from '../auth/browser/kept-tokens.ts'
import { createCipher } from '../secrets/cipher.ts'
import { createKeyRing } from '../secrets/key-ring.ts'
import { createTestBackend, ownerToken, type TestBackend, withBackend } from '../test-backend.ts'

const path = '/api/projects/default/secrets'
const canary = 'CANARY-value-of-a-secret'

const put = (backend: TestBackend, name: string, body: object = {}) =>
  backend.call<Secret>(`${path}/${name}`, {
    method: 'PUT',
    body: { kind: 'git-host', value: canary, ...body },
  })

describe('secrets', () => {
  it('[P170] [S19] are told of without any part of their value', () =>
    withBackend(async (backend) => {
      const set = await put(backend, 'token', { note: 'of the bot' })
      expect(set).toMatchObject({
        status: 200,
        body: { name: 'token', kind: 'git-host', note: 'of the bot', version: 1, usable: true },
      })
      const again = await put(backend, 'token', { value: `${canary}-2` })
      expect(again.body).toMatchObject({ version: 2, setBy: { id: 'owner' }, visibleToAgent: false })
      expect(again.body.fingerprint).not.toBe(set.body.fingerprint)
      const other = await put(backend, 'other')
      expect(other.body.fingerprint).not.toBe(set.body.fingerprint)
      const list = await backend.call<{ items: Secret[] }>(path)
      expect(list.body.items.map(({ name }) => name)).toEqual(['other', 'token'])
      const told = JSON.stringify([set, again, other, list].map(({ body }) => body))
      for (let at = 0; at + 4 <= canary.length; at++) expect(told).not.toContain(canary.slice(at, at + 4))
      expect(backend.log.join('')).not.toContain(canary)
      expect((await backend.call(`${path}/token`, { method: 'DELETE' })).status).toBe(204)
      expect(await backend.call(`${path}/token`, { method: 'DELETE' })).toMatchObject({
        status: 404,
        body: { code: 'secret_not_found' },
      })
      expect((await backend.call(`${path}/token`)).status).toBe(405)
    }))

  it('are refused where they can’t be kept', () =>
    withBackend(async (backend) => {
      const bad = [
        [{ value: 'short' }, 'body.value'],
        [{ value: ' '.repeat(20) }, 'body.value'],
        [{ value: 'x'.repeat(limits.secretValue + 1) }, 'body.value'],
        [{ kind: 'environment' }, 'body.variable'],
        [{ kind: 'environment', variable: 'PATH' }, 'body.variable'],
        [{ kind: 'http-header', variable: 'TOKEN' }, 'body.variable'],
        [{ kind: 'password' }, 'body.kind'],
      ] as const
      for (const [body, field] of bad) {
        const answer = await put(backend, 'token', body)
        const errors = expect.arrayContaining([expect.objectContaining({ field })])
        expect(answer).toMatchObject({ status: 400, body: { errors } })
        expect(JSON.stringify(answer.body)).not.toContain(canary)
      }
    }))

  it('[P175] [P176] [S10] [S12] of the kind environment are all that a runner is given, and are told of as visible', () =>
    withBackend(async (backend) => {
      const set = await put(backend, 'shown', { kind: 'environment', variable: 'SHOWN' })
      expect(set.body).toMatchObject({ visibleToAgent: true, variable: 'SHOWN' })
      const others = ['git-host', 'http-header', 'model-provider']
      for (const kind of others) await put(backend, kind, { kind, value: `${canary}-${kind}` })
      const { id } = await backend.session()
      const { token, ...spec } = await backend.spec(id)
      const hello = await backend.callRunner(token, '/runner/hello', { method: 'POST' })
      const settings = await backend.callRunner(token, '/runner/settings')
      for (const { body } of [hello, settings])
        expect(body).toMatchObject({ settings: { env: { SHOWN: canary } } })
      for (const kind of others) expect(JSON.stringify([hello, settings])).not.toContain(`${canary}-${kind}`)
      expect(JSON.stringify(spec)).not.toContain(canary)
      const lines = await backend.parts.store.events(id, { after: 0, limit: 100, maxBytes: 100_000 })
      expect(lines.filter(({ json }) => json.includes('"secrets.shown"'))).toHaveLength(1)
      expect((await backend.summary(id)).agentSecrets).toEqual([{ name: 'shown', variable: 'SHOWN' }])
      await backend.call(`${path}/shown`, { method: 'DELETE' })
      await backend.callRunner(token, '/runner/settings')
      expect((await backend.summary(id)).agentSecrets).toBeUndefined()
      const view = await backend.call(`/api/projects/default/sessions/${id}/settings`)
      expect(JSON.stringify(view.body)).not.toContain(canary)
      expect(JSON.stringify(await backend.parts.store.state(id))).not.toContain(canary)
    }))

  it('[P173] stand in no answer of a failure to those who may ask, and in no line of the log', () =>
    withBackend(async (backend) => {
      await put(backend, 'token')
      await backend.call('/api/projects/default/settings', {
        method: 'PATCH',
        headers: { 'if-match': '"1"' },
        body: { allowedModels: ['claude-*'] },
      })
      const path = '/api/projects/default/sessions'
      const body = { prompt: 'x', settings: { model: canary } }
      const refused = await backend.call(path, { body })
      expect(refused).toMatchObject({ status: 403, body: { code: 'model_not_allowed' } })
      expect(refused.body.detail).toContain('[secret:token]')
      expect(JSON.stringify(refused.body)).not.toContain(canary)
      await backend.restart()
      backend.parts.log.error({ err: new Error(`with ${ownerToken} and ${canary}`) }, `said ${canary}`)
      expect(backend.log.join('')).not.toMatch(/CANARY|test-token-that/)
    }))

  it('[P170] can’t be deleted while settings refer to them, but by force', () =>
    withBackend(async (backend) => {
      await put(backend, 'token', { kind: 'http-header' })
      const headers = { Authorization: `Bearer \${secret:token}` }
      await backend.call('/api/projects/default/settings', {
        method: 'PATCH',
        headers: { 'if-match': '"1"' },
        body: { mcpServers: { far: { type: 'http', url: 'https://mcp.example.com', headers } } },
      })
      const refused = await backend.call(`${path}/token`, { method: 'DELETE' })
      expect(refused).toMatchObject({ status: 409, body: { code: 'secret_in_use' } })
      expect(refused.body.detail).toContain('mcpServers.far.headers.Authorization')
      expect((await backend.call(`${path}/token?force=true`, { method: 'DELETE' })).status).toBe(204)
    }))
})

describe('keys', () => {
  const keyOf = (id: string, more: string[] = []) => {
    const keys = new Map([id, ...more].map((name) => [name, Buffer.alloc(32, name)]))
    return createKeyRing(id, keys)
  }

  it('[P171] [P179] are replaced in batches, and then are not needed any more', async () => {
    const backend = await createTestBackend({ keys: keyOf('a') })
    try {
      const value = async (name: string) => backend.secrets.value({ project: 'default', name, ...asker })
      const asker = { use: 'test', actor: { kind: 'user' as const, id: 'ada' } }
      for (let i = 0; i < 5; i++) await put(backend, `s${i}`, { value: `${canary}-${i}` })
      const cipher = createCipher(keyOf('a'))
      const kept = {
        sealed: sealTokens(cipher, 'browser', { refresh: canary }),
        identity: { user: 'ada', groups: [] },
      }
      const times = { createdAt: 1, usedAt: Date.now(), expiresAt: Date.now() + 3_600_000 }
      await backend.parts.store.createBrowserSession({ hash: 'browser', subject: 'ada', ...times, ...kept })
      backend.overrides.keys = keyOf('b', ['a'])
      await backend.restart()
      const rekey = (limit: number) => backend.call('/api/secrets/rekey', { method: 'POST', body: { limit } })
      expect((await rekey(2)).body).toEqual({ done: 2, left: 4, unusable: 0 })
      expect((await backend.call('/api/secrets/keys')).body).toEqual({
        items: [
          { id: 'a', current: false, present: true, values: 4 },
          { id: 'b', current: true, present: true, values: 2 },
        ],
      })
      await backend.restart()
      expect((await rekey(200)).body).toEqual({ done: 4, left: 0, unusable: 0 })
      expect((await rekey(200)).body).toEqual({ done: 0, left: 0, unusable: 0 })
      backend.overrides.keys = keyOf('b')
      await backend.restart()
      for (let i = 0; i < 5; i++) expect(await value(`s${i}`)).toBe(`${canary}-${i}`)
      const browser = await backend.parts.store.browserSession('browser', { now: Date.now(), idleSince: 0 })
      expect(openTokens(createCipher(keyOf('b')), 'browser', browser?.sealed)).toEqual({ refresh: canary })
    } finally {
      await backend.dispose()
    }
  })
})
