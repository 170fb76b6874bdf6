import { type Route, routes } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBackend, someId, type TestBackend } from '../test-backend.ts'
import { requestOf, routeNames } from './test-rows.ts'

/** Words with which platforms of this kind let a request say who asks, or whose rights count. */
const words = [
  ...['owner', 'actor', 'principal', 'sender', 'user', 'userId', 'userContext', 'createdBy', 'addedBy'],
  ...['parent', 'parentSession', 'impersonate', 'groups', 'subjects', 'role', 'platformAdmin', 'annotations'],
]
/** Where a word says what is given to somebody, and not who asks. */
const given: Record<string, string[]> = { setMember: ['role'], createKey: ['role'] }

let backend: TestBackend
beforeAll(async () => {
  backend = await createTestBackend()
})
afterAll(() => backend.dispose())

describe('[P155] [S2] [S3] [S18] nothing in a body says who asks', () => {
  const withBody = routeNames.filter((name) => (routes[name] as Route).body !== undefined)
  it.each(withBody)('%s', (name) => {
    const { body: schema } = routes[name] as Route
    const { body: valid = {} } = requestOf(name)
    if (schema?.safeParse(valid).success !== true)
      throw new Error(`${name} has no valid body in test-rows.ts`)
    for (const word of words.filter((one) => given[name]?.includes(one) !== true))
      for (const value of ['eve', { kind: 'user', id: 'eve' }, ['system:masters'], true]) {
        const result = schema.safeParse({ ...valid, [word]: value })
        if (result.success) expect(result.data).not.toHaveProperty(word)
      }
  })

  it('a session belongs to whoever made it, and so does a prompt', async () => {
    const sessions = '/api/projects/default/sessions'
    for (const word of words) {
      const refused = await backend.call(sessions, { body: { [word]: { kind: 'user', id: 'eve' } } })
      expect([word, refused.body]).toEqual([word, expect.objectContaining({ code: 'invalid_input' })])
    }
    const { id, owner } = await backend.session({ prompt: 'Hello', labels: { owner: 'eve' } })
    expect(owner).toMatchObject({ kind: 'user', id: 'owner' })
    expect((await backend.summary(id)).queue[0]?.sender).toMatchObject({ kind: 'user', id: 'owner' })
  })
})

describe('[P155] [S1] no header says who asks', () => {
  const forged = {
    ...{ 'x-forwarded-user': 'eve', 'x-forwarded-groups': 'system:masters', 'x-remote-user': 'eve' },
    ...{ 'x-forwarded-email': 'eve@example.com', 'impersonate-user': 'eve', 'x-forwarded-access-token': 'x' },
    ...{ 'x-forwarded-for': '10.0.0.1', 'x-forwarded-preferred-username': 'eve', 'x-caller-token': 'x' },
  }
  it('neither for somebody who is known nor for nobody', async () => {
    const me = await backend.call('/api/me', { headers: forged })
    expect(me.body).toMatchObject({ principal: { kind: 'user', id: 'owner' }, groups: [] })
    const nobody = await backend.call('/api/me', { headers: forged, token: null })
    expect(nobody.body).toMatchObject({ code: 'unauthenticated' })
    for (const query of ['token', 'access_token', 'api_key'])
      expect((await backend.call(`/api/me?${query}=${someId('key')}`, { token: null })).status).toBe(401)
  })
})

it('[P153] [S8] takes no id of another project, whatever it names', async () => {
  await backend.call('/api/projects', { body: { name: 'theirs' } })
  const theirs = await backend.call<{ id: string; queue: { prompt: string }[] }>(
    '/api/projects/theirs/sessions',
    {
      body: { prompt: 'Hello' },
    },
  )
  const key = await backend.call<{ id: string; secret: string }>('/api/projects/theirs/keys', {
    body: { name: 'theirs' },
  })
  const upload = await backend.call<{ upload: string }>(
    `/api/projects/theirs/sessions/${theirs.body.id}/uploads`,
    { body: { path: 'a.txt', size: 1 } },
  )
  const { id: session } = await backend.session()
  const foreign: Record<string, string> = {
    key: key.body.id,
    upload: upload.body.upload,
    prompt: theirs.body.queue[0]?.prompt ?? '',
  }
  for (const [param, id] of Object.entries(foreign)) {
    expect(id).not.toBe('')
    for (const name of routeNames.filter((one) => routes[one].path.includes(`:${param}`))) {
      const ask = async (value: string) => {
        const { path, ...request } = requestOf(name, { session, [param]: value })
        const { status, body } = await backend.call(path, request)
        return JSON.stringify({ status, ...body, requestId: '' }).replaceAll(value, 'ID')
      }
      const kind = param as 'key' | 'upload' | 'prompt'
      expect([name, await ask(id)]).toEqual([name, await ask(someId(kind))])
    }
  }
  expect((await backend.call('/api/projects/theirs/sessions', { token: key.body.secret })).status).toBe(200)
})
