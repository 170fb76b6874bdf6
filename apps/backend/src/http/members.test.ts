import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { limits } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBackend, eventually, ownerToken, type TestBackend } from '../test-backend.ts'
import { readStream } from './test-stream.ts'

interface Key {
  id: string
  secret: string
}

const project = '/api/projects/default'
let backend: TestBackend
beforeAll(async () => {
  backend = await createTestBackend()
})
afterAll(() => backend.dispose())

const makeKey = async (role: string, more: object = {}, token = ownerToken): Promise<Key> => {
  const { status, body } = await backend.call<Key>(`${project}/keys`, {
    token,
    body: { name: `a ${role}`, role, ...more },
  })
  expect([status, body]).toEqual([201, expect.objectContaining({ role })])
  return body
}
const codeOf = async (path: string, options: Parameters<TestBackend['call']>[1]) => {
  const { status, body } = await backend.call<{ code?: string }>(path, options)
  return body.code ?? status
}
const member = (subject: string, role: string | undefined, token = ownerToken, query = '') =>
  codeOf(`${project}/members/${subject}${query}`, {
    token,
    ...(role === undefined ? { method: 'DELETE' } : { method: 'PUT', body: { role } }),
  })

describe('[P151] [S5] [S21] an API key', () => {
  it('acts as itself with its role, in the log too, and says so', async () => {
    const { id, secret } = await makeKey('editor')
    const { body: me } = await backend.call('/api/me', { token: secret })
    expect(me).toMatchObject({
      principal: { kind: 'key', id, name: 'a editor' },
      platformAdmin: false,
      groups: [],
    })
    const { body: session } = await backend.call<{ id: string; owner: object }>(`${project}/sessions`, {
      token: secret,
      body: { prompt: 'Hello' },
    })
    expect(session.owner).toEqual({ kind: 'key', id, name: 'a editor' })
    const { body: events } = await backend.call<{ items: { type: string; actor: object }[] }>(
      `${project}/sessions/${session.id}/events`,
    )
    const queued = events.items.find(({ type }) => type === 'prompt.queued')
    expect(queued?.actor).toEqual({ kind: 'key', id, name: 'a editor' })
    const { body: access } = await backend.call(`${project}/access`, { token: secret })
    expect(access).toMatchObject({ role: 'editor', sources: [{ kind: 'key', id, role: 'editor' }] })
    expect(await codeOf(`${project}/settings`, { token: secret, method: 'PATCH', body: {} })).toBe(
      'forbidden',
    )
    expect(await codeOf('/api/projects', { token: secret, body: { name: 'mine' } })).toBe('forbidden')
  })

  it('does no more than its role when its maker may do everything, and goes on when the maker may nothing', async () => {
    const admin = await makeKey('admin')
    const viewer = await makeKey('viewer')
    for (const path of ['keys', 'sessions'])
      expect(await codeOf(`${project}/${path}`, { token: viewer.secret, body: { name: 'x' } })).toBe(
        'forbidden',
      )
    await backend.parts.store.revokeSubject({ subject: { kind: 'user', id: 'owner' }, keys: false, now: 1 })
    expect(await codeOf(`${project}/sessions`, { token: viewer.secret })).toBe(200)
    expect(await codeOf(`${project}/members`, { token: admin.secret })).toBe(200)
  })

  it('is shown once, kept as a hash, and listed with its last use', async () => {
    const { id, secret } = await makeKey('viewer')
    await backend.call(`${project}/sessions`, { token: secret })
    const used = await eventually('the use', async () => {
      const { body } = await backend.call<{ items: { id: string; lastUsedAt?: string }[] }>(`${project}/keys`)
      return body.items.find((key) => key.id === id && key.lastUsedAt !== undefined)
    })
    expect(used).toMatchObject({ prefix: secret.slice(0, 34), lastUsedAddress: '127.0.0.1' })
    expect(JSON.stringify(used)).not.toContain(secret.slice(35))
    expect(backend.log.join('')).not.toContain(secret.slice(35, 60))
  })

  it('counts no more once it is revoked, rotated or expired, and not when a character is wrong', async () => {
    const asks = (token: string) => codeOf(`${project}/sessions`, { token })
    const first = await makeKey('viewer')
    const at = `${project}/keys/${first.id}`
    expect(await asks(`${first.secret.slice(0, -1)}${first.secret.endsWith('0') ? '1' : '0'}`)).toBe(
      'unauthenticated',
    )
    const rotated = (await backend.call<Key>(`${at}/rotate`, { body: { graceHours: 1 } })).body
    expect([await asks(first.secret), await asks(rotated.secret)]).toEqual([200, 200])
    const again = (await backend.call<Key>(`${at}/rotate`, { body: {} })).body
    expect(await Promise.all([first.secret, rotated.secret, again.secret].map(asks))).toEqual([
      'unauthenticated',
      'unauthenticated',
      200,
    ])
    expect(await codeOf(at, { method: 'DELETE' })).toBe(204)
    expect(await asks(again.secret)).toBe('unauthenticated')
    expect(await codeOf(at, { method: 'DELETE' })).toBe('key_not_found')
    expect(await codeOf(`${project}/keys`, { body: { name: 'x', days: limits.keyDays + 1 } })).toBe(
      'invalid_input',
    )
  })

  it('makes, rotates and revokes no key, and nobody an admin, though it is one', async () => {
    const admin = await makeKey('admin')
    const other = await makeKey('viewer')
    const token = admin.secret
    expect(await codeOf(`${project}/keys`, { token, body: { name: 'more' } })).toBe('forbidden')
    expect(await codeOf(`${project}/keys/${other.id}`, { token, method: 'DELETE' })).toBe('forbidden')
    expect(await codeOf(`${project}/keys/${other.id}/rotate`, { token, body: {} })).toBe('forbidden')
    expect(await member('user/eve', 'admin', token)).toBe('forbidden')
    expect(await member('user/eve', 'editor', token)).toBe(200)
    await member('user/root', 'admin')
    await member('user/other', 'admin')
    expect(await member('user/root', 'viewer', token)).toBe('forbidden')
    expect(await member('user/root', undefined, token)).toBe('forbidden')
    expect(await member('user/root', undefined, token, '?force=true')).toBe('forbidden')
    for (const id of ['root', 'other', 'eve'])
      await member(`user/${id}`, undefined, ownerToken, '?force=true')
  })
})

describe('[P150] members', () => {
  it('travel with any name, and are listed as they are', async () => {
    const names = ['ada@example.com', '/teams/web ops', 'ünïcode 🎉', '__proto__', 'a%2Fb', '..a', 'a/b?c#d']
    for (const name of names) {
      expect([name, await member(`group/${encodeURIComponent(name)}`, 'viewer')]).toEqual([name, 200])
      const { body } = await backend.call<{ items: { kind: string; id: string }[] }>(`${project}/members`)
      expect(body.items.map(({ id }) => id)).toContain(name)
      expect(await member(`group/${encodeURIComponent(name)}`, undefined)).toBe(204)
      expect(await member(`group/${encodeURIComponent(name)}`, undefined)).toBe('member_not_found')
    }
  })

  it.each([
    'user/key_1',
    'service/system:x',
    'user/system:masters',
    'key/key_00000000000000000000000000',
    'key/x',
  ])('are not %s: nobody signs in as that', async (subject) =>
    expect(await member(subject, 'viewer')).toBe('member_not_allowed'),
  )

  it('include an admin that is no key, as long as nobody forces it', async () => {
    expect(await member('user/last', 'admin')).toBe(200)
    expect(await member('user/last', 'viewer')).toBe('last_admin')
    expect(await member('user/last', undefined)).toBe('last_admin')
    expect(await member('user/last', undefined, ownerToken, '?force=true')).toBe(204)
  })
})

describe('[P152] a stream ends when the right to it does', () => {
  const streamOf = (token: string, path: string) => readStream(`${backend.url}${project}${path}`, token)
  const open = async (token: string, path: string) => {
    const reader = streamOf(token, path)
    await eventually('the stream', () => reader.open())
    return reader
  }
  const session = async () => (await backend.session()).id

  it('because its key is revoked, and only that of its key', async () => {
    const [gone, stays] = [await makeKey('viewer'), await makeKey('viewer')]
    const path = `/sessions/${await session()}/events`
    const readers = await Promise.all([
      open(gone.secret, path),
      open(gone.secret, '/changes'),
      open(stays.secret, path),
    ])
    await backend.call(`${project}/keys/${gone.id}`, { method: 'DELETE' })
    await Promise.all(readers.slice(0, 2).map(({ ended }) => ended))
    for (const reader of readers.slice(0, 2))
      expect(reader.messages.at(-1)).toMatchObject({ event: 'end', data: { code: 'unauthenticated' } })
    expect(readers[2]?.messages.some(({ event }) => event === 'end')).toBe(false)
    readers[2]?.close()
  })

  it('because it is no member any more', async () => {
    const { id, secret } = await makeKey('editor')
    const reader = await open(secret, '/changes')
    await member(`key/${id}`, undefined)
    await reader.ended
    expect(reader.messages.at(-1)).toMatchObject({ event: 'end', data: { code: 'project_not_found' } })
  })

  it('because its session was made private', async () => {
    const { secret } = await makeKey('viewer')
    const at = `/sessions/${await session()}`
    const reader = await open(secret, `${at}/events`)
    const headers = { 'if-match': '"1"' }
    await backend.call(`${project}${at}/sharing`, {
      method: 'PATCH',
      headers,
      body: { visibility: 'private' },
    })
    await reader.ended
    expect(reader.messages.at(-1)).toMatchObject({ event: 'end', data: { code: 'session_not_found' } })
  })

  it('a download too, in its middle', async () => {
    const { id, secret } = await makeKey('viewer')
    const owner = await session()
    const bytes = Buffer.alloc(30_000_000)
    const blob = createHash('sha256').update(bytes).digest('hex')
    await backend.parts.blobs.put(owner, { blob, content: Readable.from([bytes]), maxBytes: bytes.length })
    const answer = await fetch(`${backend.url}${project}/sessions/${owner}/blobs/${blob}`, {
      headers: { authorization: `Bearer ${secret}` },
    })
    expect(answer.status).toBe(200)
    const reader = answer.body?.getReader()
    expect((await reader?.read())?.value?.length).toBeGreaterThan(0)
    await member(`key/${id}`, undefined)
    const rest = async () => {
      while ((await reader?.read())?.done === false);
    }
    await expect(rest()).rejects.toThrow()
  })

  it('because another backend took it, within seconds', async () => {
    const { id, secret } = await makeKey('editor')
    const reader = await open(secret, '/changes')
    await backend.parts.store.removeMember('default', { kind: 'key', id })
    await reader.ended
    expect(reader.messages.at(-1)).toMatchObject({ event: 'end', data: { code: 'project_not_found' } })
  })
})

it('[P154] [S20] takes everything from somebody at once, says what, and spares whoever asks', async () => {
  const { id, secret } = await makeKey('editor')
  await member('user/mallory', 'editor')
  const { body } = await backend.call('/api/access/revoke', {
    body: { subject: { kind: 'user', id: 'mallory' } },
  })
  expect(body).toMatchObject({ memberships: [{ project: 'default', role: 'editor' }], keys: [] })
  const key = await backend.call('/api/access/revoke', { body: { subject: { kind: 'key', id } } })
  expect(key.body).toMatchObject({ keys: [{ id }] })
  expect(await codeOf('/api/me', { token: secret })).toBe('unauthenticated')
  const own = { body: { subject: { kind: 'user', id: 'owner' } } }
  expect(await codeOf('/api/access/revoke', own)).toBe('own_access')
})
