import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Authenticator } from '../auth/authenticator.ts'
import { type Answer, createTestBackend, type TestBackend } from '../test-backend.ts'

const roles = { ada: 'editor', bob: 'editor', eve: 'viewer', root: 'admin' } as const
type Name = keyof typeof roles

const unused = () => Promise.reject(new Error('not used here'))
const authenticator = {
  authenticate: async ({ bearer }: { bearer?: string }) =>
    bearer === undefined
      ? undefined
      : {
          actor: { kind: 'user', id: bearer },
          subjects: [{ kind: 'user', id: bearer }],
          platformAdmin: bearer === 'platform',
          mayCreateProjects: true,
        },
  createTicket: unused,
  redeem: unused,
  signOut: unused,
} as unknown as Authenticator

const base = '/api/projects/team'
let backend: TestBackend

const call = (name: Name, path: string, options: Parameters<TestBackend['call']>[1] = {}) =>
  backend.call(`${base}${path}`, { ...options, token: name })
const create = async (name: Name, body: object = {}): Promise<string> =>
  ((await call(name, '/sessions', { body })) as Answer<{ id: string }>).body.id
const listed = async (name: Name) =>
  ((await call(name, '/sessions?limit=200')).body as { items: { id: string }[] }).items.map(({ id }) => id)
const patch = (name: Name, session: string, { body, version }: { body: object; version: number }) =>
  call(name, `/sessions/${session}/sharing`, {
    method: 'PATCH',
    body,
    headers: { 'if-match': `"${version}"` },
  })

beforeAll(async () => {
  backend = await createTestBackend({ authenticator })
  await backend.call('/api/projects', { token: 'platform', body: { name: 'team' } })
  for (const [id, role] of Object.entries(roles) as [Name, 'editor'][])
    await backend.parts.store.setMember({
      ...{ project: 'team', kind: 'user', id, role },
      ...{ addedAt: 0, addedBy: { kind: 'user', id: 'platform' } },
    })
})
afterAll(() => backend.dispose())

describe('[P160] a private session', { timeout: 60_000 }, () => {
  it('is there for its owner and admins only, by its address and in lists', async () => {
    const session = await create('ada', { visibility: 'private' })
    const own = `/sessions/${session}`
    for (const name of ['ada', 'root'] as const) {
      expect((await call(name, own)).status).toBe(200)
      expect(await listed(name)).toContain(session)
    }
    for (const path of [own, `${own}/events`, `${own}/sharing`, `${own}/usage`])
      expect((await call('bob', path)).body).toMatchObject({ code: 'session_not_found' })
    expect(await listed('bob')).not.toContain(session)
    expect(JSON.stringify((await call('bob', '/queue')).body)).not.toContain(session)
    expect(JSON.stringify((await call('bob', '/changes?after=0')).body)).not.toContain(session)
    expect(JSON.stringify((await call('root', '/changes?after=0')).body)).toContain(session)
  })

  it('is shared by its owner, with at most the role in the project', async () => {
    const session = await create('ada', { visibility: 'private' })
    const shares = ['bob', 'eve', 'stranger'].map((id) => ({ kind: 'user', id, role: 'editor' }))
    expect((await patch('ada', session, { body: { shares }, version: 1 })).body).toEqual({
      version: 2,
      visibility: 'private',
      shares,
    })
    const prompt = { body: { content: 'echo: hi' } }
    expect((await call('bob', `/sessions/${session}/prompts`, prompt)).status).toBe(202)
    expect((await call('eve', `/sessions/${session}`)).status).toBe(200)
    expect((await call('eve', `/sessions/${session}/prompts`, prompt)).status).toBe(403)
    const stranger = await backend.call(`${base}/sessions/${session}`, { token: 'stranger' })
    expect(stranger.body).toMatchObject({ code: 'project_not_found' })
    const taken = await patch('bob', session, { body: { visibility: 'project' }, version: 2 })
    expect(taken.body).toMatchObject({ code: 'forbidden' })
    expect((await patch('ada', session, { body: { shares: [] }, version: 1 })).status).toBe(412)
    expect((await patch('root', session, { body: { shares: [] }, version: 2 })).status).toBe(200)
    expect((await call('bob', `/sessions/${session}`)).status).toBe(404)
  })

  it('needs the project’s leave', async () => {
    const settings = (await call('root', '/settings')).headers.get('etag') ?? ''
    const body = { privateSessions: false, sessionVisibility: 'private' }
    await call('root', '/settings', { method: 'PATCH', body, headers: { 'if-match': settings } })
    expect((await call('ada', '/sessions', { body: { visibility: 'private' } })).body).toMatchObject({
      code: 'private_not_allowed',
    })
    const session = await create('ada')
    expect((await call('bob', `/sessions/${session}`)).body).toMatchObject({ visibility: 'project' })
    const refused = await patch('ada', session, { body: { visibility: 'private' }, version: 1 })
    expect(refused.body).toMatchObject({ code: 'private_not_allowed' })
  })

  it('[P161] an archived project can be read; what would change something in it is refused', async () => {
    const session = await create('ada')
    expect((await call('bob', '/archive', { method: 'POST' })).status).toBe(403)
    expect((await call('root', '/archive', { method: 'POST' })).body).toMatchObject({ state: 'archived' })
    const refused = [
      call('ada', '/sessions', { body: {} }),
      call('ada', `/sessions/${session}/prompts`, { body: { content: 'x' } }),
      call('ada', `/sessions/${session}/resume`, { method: 'POST' }),
      call('root', '/settings', { method: 'PATCH', body: {}, headers: { 'if-match': '"1"' } }),
    ]
    for (const { body } of await Promise.all(refused))
      expect(body).toMatchObject({ code: 'project_archived' })
    expect((await call('bob', `/sessions/${session}`)).status).toBe(200)
    expect((await call('root', '/unarchive', { method: 'POST' })).body).toMatchObject({ state: 'active' })
    expect((await call('ada', `/sessions/${session}/prompts`, { body: { content: 'x' } })).status).toBe(202)
  })
})
