import { includesRole, isBerthError, type ProjectRole, type Route, routes } from '@berth/contract'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Access } from '../auth/access.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/principal.ts'
import { createTestBackend, someId, type TestBackend } from '../test-backend.ts'
import { requestOf, routeNames } from './test-rows.ts'

const named = (kind: 'user' | 'key', id: string, more: Partial<Principal> = {}): Principal => ({
  actor: { kind, id },
  subjects: [{ kind, id }],
  platformAdmin: false,
  mayCreateProjects: false,
  ...more,
})

const group = { kind: 'group', id: 'team' } as const
const principals: Record<string, Principal> = {
  viewer: named('user', 'viewer'),
  editor: named('user', 'editor'),
  admin: named('user', 'admin'),
  grouped: named('user', 'grouped', { subjects: [{ kind: 'user', id: 'grouped' }, group] }),
  keyEditor: named('key', 'keyEditor'),
  removed: named('user', 'removed'),
  platform: named('user', 'platform', { platformAdmin: true }),
}
const roles: Record<string, ProjectRole | undefined> = {
  ...{ viewer: 'viewer', editor: 'editor', admin: 'admin', grouped: 'editor', keyEditor: 'editor' },
  ...{ removed: undefined, platform: 'admin' },
}

/** Of a session: whose it is, who sees it, and as what it is shared with everybody above. */
const kinds = ['own', 'open', 'private', 'shared viewer', 'shared editor'] as const
type Kind = (typeof kinds)[number]

const authenticator: Authenticator = {
  authenticate: async ({ bearer }: { bearer?: string }) => principals[bearer ?? ''],
} as never

let backend: TestBackend
const sessions = new Map<string, string>()
const sessionOf = (caller: string, kind: Kind): string =>
  sessions.get(kind === 'own' ? `own ${caller}` : kind) ?? ''

beforeAll(async () => {
  backend = await createTestBackend({ authenticator })
  const { store } = backend.parts
  const setRole = async (caller: string, role: ProjectRole) => {
    const subject = principals[caller]?.subjects.at(-1)
    if (subject === undefined) throw new Error(`${caller} has no name`)
    const added = { addedAt: 0, addedBy: { kind: 'user', id: 'platform' } } as const
    await store.setMember({ project: 'default', ...subject, role, ...added }, { force: true })
    return subject
  }
  const create = async (token: string, body: object) => {
    const made = await backend.call<{ id: string }>('/api/projects/default/sessions', { token, body })
    expect([token, made.status]).toEqual([token, 201])
    return made.body.id
  }
  const shares = []
  for (const caller of Object.keys(roles).filter((one) => one !== 'platform')) {
    const subject = await setRole(caller, 'editor')
    shares.push(subject)
    sessions.set(`own ${caller}`, await create(caller, { visibility: 'private' }))
  }
  sessions.set('own platform', await create('platform', { visibility: 'private' }))
  sessions.set('open', await create('platform', {}))
  for (const kind of ['private', 'shared viewer', 'shared editor'] as const) {
    const id = await create('platform', { visibility: 'private' })
    sessions.set(kind, id)
    if (kind === 'private') continue
    const role = kind === 'shared viewer' ? 'viewer' : 'editor'
    const shared = await backend.call(`/api/projects/default/sessions/${id}/sharing`, {
      ...{ token: 'platform', method: 'PATCH', headers: { 'if-match': '"1"' } },
      body: { shares: shares.map((subject) => ({ ...subject, role })) },
    })
    expect(shared.status).toBe(200)
  }
  for (const [caller, role] of Object.entries(roles))
    if (role !== undefined && caller !== 'platform') await setRole(caller, role)
  await store.removeMember('default', { kind: 'user', id: 'removed' })
})
afterAll(() => backend.dispose())

/** What the rows, the visibility and the shares say; undefined: allowed. */
const refusal = (row: Route, caller: string, kind: Kind): string | undefined => {
  const role = roles[caller]
  if (role === undefined) return 'project_not_found'
  const needed = row.role as ProjectRole
  if (!includesRole(role, needed)) return 'forbidden'
  if (row.keys === false && caller.startsWith('key')) return 'forbidden'
  if (role === 'admin') return undefined
  if (kind === 'private') return 'session_not_found'
  if (kind === 'shared viewer' && needed !== 'viewer') return 'forbidden'
  return row.owner === true && kind !== 'own' ? 'forbidden' : undefined
}

const rows = routeNames.filter((name) => routes[name].path.includes('/sessions/:session'))

it.each(rows)(
  '[P153] %s: own, open, private and shared sessions answer by row, visibility and share',
  async (name) => {
    const row: Route = routes[name]
    const access = new Access(backend.parts.store)
    for (const [caller, principal] of Object.entries(principals))
      for (const kind of kinds) {
        const place = { project: 'default', session: sessionOf(caller, kind) }
        const code = await access.authorise(principal, row, place).then(
          () => undefined,
          (error) => (isBerthError(error) ? error.code : Promise.reject(error)),
        )
        expect([caller, kind, code]).toEqual([caller, kind, refusal(row, caller, kind)])
      }
  },
)

it('[P153] makes a private session look like one that does not exist, byte for byte', async () => {
  for (const name of rows)
    for (const caller of ['viewer', 'editor', 'grouped', 'keyEditor']) {
      const ask = async (session: string) => {
        const { path, ...request } = requestOf(name, { session })
        const { status, body } = await backend.call(path, { ...request, token: caller })
        return JSON.stringify({ status, ...body, requestId: '' }).replaceAll(session, 'SESSION')
      }
      expect([name, caller, await ask(sessionOf(caller, 'private'))]).toEqual([
        name,
        caller,
        await ask(someId('session')),
      ])
    }
})
