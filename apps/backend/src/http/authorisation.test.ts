import {
  includesRole,
  type ProjectRole,
  projectRoles,
  type Route,
  routes,
  runnerRoutes,
} from '@berth/contract'
import { createManualClock } from '@berth/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/principal.ts'
import { type Answer, createTestBackend, type TestBackend } from '../test-backend.ts'
import { requestOf, routeNames } from './test-rows.ts'

/** `mine` is the project in which the roles are, `theirs` exists too, `absent` does not. */
const places = ['mine', 'theirs', 'absent'] as const
type Place = (typeof places)[number]

const named = ['platform', 'collector', 'stranger', 'creator'] as const
/** A member of a group, a program, and keys have roles like people; `removed` was an admin. */
const members = { grouped: 'editor', service: 'viewer', keyEditor: 'editor', keyAdmin: 'admin' } as const
const callers = [
  ...['nobody', 'wrong', 'runner', ...projectRoles, ...named, 'removed'],
  ...(Object.keys(members) as (keyof typeof members)[]),
] as const
type Caller = (typeof callers)[number]

const principal = (id: string, more: Partial<Principal> = {}): Principal => ({
  actor: { kind: 'user', id },
  subjects: [{ kind: 'user', id }],
  platformAdmin: false,
  mayCreateProjects: false,
  ...more,
})

const of = (kind: 'key' | 'service', id: string) =>
  principal(id, { actor: { kind, id }, subjects: [{ kind, id }] })

const principals: Record<string, Principal> = {
  platform: principal('platform', { platformAdmin: true }),
  collector: principal('collector', { readsMetrics: true }),
  stranger: principal('stranger'),
  removed: principal('removed'),
  creator: principal('creator', { mayCreateProjects: true }),
  grouped: principal('grouped', {
    subjects: [
      { kind: 'user', id: 'grouped' },
      { kind: 'group', id: 'grouped' },
    ],
  }),
  service: of('service', 'service'),
  keyEditor: of('key', 'keyEditor'),
  keyAdmin: of('key', 'keyAdmin'),
}
for (const role of projectRoles) principals[role] = principal(role)

const roleOf = (caller: string): ProjectRole | undefined =>
  projectRoles.find((known) => known === caller) ?? members[caller as keyof typeof members]

const authenticator: Authenticator = {
  authenticate: async ({ bearer }) => principals[bearer ?? ''],
}

/** What the row says: undefined when the caller may. */
const refusal = ({ role, path, keys }: Route, caller: Caller, place: Place): string | undefined => {
  if (role === 'public') return undefined
  if (caller === 'nobody' || caller === 'wrong' || caller === 'runner') return 'unauthenticated'
  if (role === 'principal') return undefined
  if (caller === 'platform')
    return place === 'absent' && path.includes('/:project') ? 'project_not_found' : undefined
  if (role === 'metrics' && caller === 'collector') return undefined
  if (role === 'creator' && caller === 'creator') return undefined
  if (role === 'platform-admin' || role === 'metrics' || role === 'creator') return 'forbidden'
  expect(path).toContain('/:project')
  const actual = roleOf(caller)
  if (place !== 'mine' || actual === undefined) return 'project_not_found'
  if (keys === false && caller.startsWith('key')) return 'forbidden'
  return includesRole(actual, role as ProjectRole) ? undefined : 'forbidden'
}

const refusals = ['unauthenticated', 'forbidden']

let backend: TestBackend
let runnerToken: string
let theirSession: string

beforeAll(async () => {
  // Time stands still: else memberships of keys that were never made are cleared away before a slow run is over.
  const clock = createManualClock(Date.now())
  backend = await createTestBackend({ authenticator, owner: { id: 'platform', name: 'Platform' }, clock })
  for (const name of ['mine', 'theirs'])
    await backend.call('/api/projects', { token: 'platform', body: { name } })
  const added = { project: 'mine', addedAt: 0, addedBy: { kind: 'user', id: 'platform' } } as const
  for (const caller of [...projectRoles, ...Object.keys(members), 'removed']) {
    const subject = principals[caller]?.subjects.at(-1)
    if (subject === undefined) throw new Error(`${caller} has no name`)
    await backend.parts.store.setMember({ ...added, ...subject, role: roleOf(caller) ?? 'admin' })
  }
  await backend.parts.store.removeMember('mine', { kind: 'user', id: 'removed' })
  const sessions = '/api/projects/theirs/sessions'
  const created = await backend.call<{ id: string }>(sessions, { token: 'platform', body: {} })
  theirSession = created.body.id
  runnerToken = (await backend.spec(theirSession)).token
})
afterAll(() => backend.dispose())

const ask = (name: (typeof routeNames)[number], caller: Caller, given: Record<string, string>) => {
  const token = caller === 'nobody' ? null : caller === 'runner' ? runnerToken : caller
  return backend.call<{ code?: string }>(requestOf(name, given).path, { ...requestOf(name, given), token })
}

const comparable = ({ status, body }: Answer, place: string) =>
  JSON.stringify({ status, ...body, requestId: '' }).replaceAll(place, 'PLACE')

describe.each(routeNames)('[P153] %s', (name) => {
  const row: Route = routes[name]
  it.each(callers)('answers %s as its row says', async (caller) => {
    for (const place of row.path.includes(':project') ? places : (['mine'] as const)) {
      const answer = await ask(name, caller, { project: place })
      const expected = refusal(row, caller, place)
      const { code } = answer.body
      if (expected !== undefined) expect([place, code]).toEqual([place, expected])
      else if (name === 'login') expect(code).toBe('unauthenticated')
      else if (place !== 'absent') expect(refusals).not.toContain(code)
    }
  })
})

describe('[P153] [S8] tenancy', () => {
  it('makes a project without a role look like one that does not exist', async () => {
    const session = theirSession
    for (const name of routeNames.filter((name) => routes[name].path.includes(':project')))
      for (const caller of ['admin', 'keyAdmin', 'grouped', 'removed', 'stranger'] as const) {
        const theirs = await ask(name, caller, { project: 'theirs', session })
        const absent = await ask(name, caller, { project: 'absent', session })
        expect(comparable(theirs, 'theirs')).toBe(comparable(absent, 'absent'))
      }
  })

  it('does not give a session out under another project', async () => {
    // It stopped when its project was archived, by somebody who may.
    await backend.call(`/api/projects/theirs/sessions/${theirSession}/resume`, {
      token: 'platform',
      body: {},
    })
    for (const name of routeNames.filter((name) => routes[name].path.includes(':session'))) {
      const { body } = await ask(name, 'admin', { project: 'mine', session: theirSession })
      expect([name, body.code]).toEqual([name, 'session_not_found'])
    }
    const { body } = await backend.call(`/api/projects/theirs/sessions/${theirSession}`, {
      token: 'platform',
    })
    expect(body).toMatchObject({ id: theirSession, version: 1, desired: 'running' })
  })

  it('takes no role from what every object inherits', async () => {
    for (const project of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const { body } = await ask('getProject', 'admin', { project })
      expect(body.code).toBe('project_not_found')
    }
  })

  it('lists only projects in which one has a role', async () => {
    const names = async (token: string) =>
      (await backend.call<{ items: { name: string }[] }>('/api/projects', { token })).body.items.map(
        ({ name }) => name,
      )
    expect(await names('viewer')).toEqual(['mine'])
    expect(await names('stranger')).toEqual([])
    expect(await names('platform')).toEqual(expect.arrayContaining(['default', 'mine', 'theirs']))
  })

  it('asks who it is before it reads a body', async () => {
    const { path } = requestOf('createSession', { project: 'mine' })
    for (const [token, code] of [
      [null, 'unauthenticated'],
      ['viewer', 'forbidden'],
    ] as const)
      expect((await backend.call(path, { token, body: 'not json' })).body).toMatchObject({ code })
  })
})

describe('the two ports', () => {
  it('[S14, S16] know nothing of each other, and no token is no identity', async () => {
    for (const { method, path } of Object.values(runnerRoutes) as Route[]) {
      const blob = path.replace(':blob', 'a'.repeat(64))
      const onPublic = await backend.call(blob, { method, token: 'platform' })
      expect(onPublic).toMatchObject({ status: 404, body: { code: 'route_not_found' } })
      for (const token of ['platform', 'admin', 'wrong', '', ' '])
        expect((await backend.callRunner(token, blob, { method })).body).toMatchObject({
          code: 'unauthenticated',
        })
    }
    const onRunner = await backend.callRunner(runnerToken, '/api/projects')
    expect(onRunner.body).toMatchObject({ code: 'route_not_found' })
    const model = await backend.callRunner('platform', '/runner/model/v1/messages', { body: {} })
    expect(model.body).toMatchObject({ code: 'unauthenticated' })
  })
})
