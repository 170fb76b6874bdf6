import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, nextId, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
})
afterEach(() => fake.close())

const run = (...args: string[]) => runAgainst(fake.url, args)

const at = '2030-01-31T00:00:00.000Z'
const by = { kind: 'user', id: 'owner', name: 'Owner' } as const
const ada = { kind: 'user', id: 'ada@example.com', role: 'viewer', addedAt: at, addedBy: by } as const
const web = { ...ada, kind: 'group', id: '/teams/web', role: 'admin' } as const
const key = {
  ...{
    id: nextId('key'),
    name: 'nightly',
    prefix: 'brt_key_01',
    role: 'editor',
    createdBy: by,
    createdAt: at,
  },
  ...{ expiresAt: '2030-02-02T00:00:00.000Z', lastUsedAt: at },
} as const

test('lists members, those who may most first', async () => {
  fake.answers.listMembers = { items: [ada, web] }
  const { code, out } = await run('member', 'ls', '-p', 'web')
  expect(code).toBe(0)
  expect(out.indexOf('group:/teams/web')).toBeLessThan(out.indexOf('user:ada@example.com'))
  const { out: json } = await run('member', 'ls', '-p', 'web', '--json')
  expect(
    json
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([ada, web])
  fake.answers.listMembers = { items: [] }
  expect((await run('member', 'ls', '-p', 'web')).out).toContain('web has no members')
})

test('adds, changes and removes a member by its kind and name', async () => {
  fake.answers.setMember = ada
  expect(
    await run('member', 'add', 'user:ada@example.com', 'viewer', '-p', 'web', '--name', 'Ada'),
  ).toMatchObject({
    code: 0,
    out: 'user:ada@example.com is viewer in web.\n',
  })
  expect(fake.requests.at(-1)).toBe('PUT /api/projects/web/members/user/ada%40example.com')
  expect(fake.said.setMember).toMatchObject({
    body: { role: 'viewer', name: 'Ada' },
    query: { force: 'false' },
  })
  await run('member', 'set', 'group:/teams/web', 'editor', '--force')
  expect(fake.requests.at(-1)).toBe('PUT /api/projects/default/members/group/%2Fteams%2Fweb')
  expect(fake.said.setMember?.query).toEqual({ force: 'true' })
  expect((await run('member', 'rm', 'service:kubernetes:ci:deployer')).code).toBe(0)
  expect(fake.requests.at(-1)).toBe('DELETE /api/projects/default/members/service/kubernetes%3Aci%3Adeployer')
})

test.each([['ada'], [':'], ['user:'], ['robot:x']])('does not guess who %j is', async (subject) => {
  const { code, err } = await run('member', 'add', subject, 'viewer')
  expect(code).toBe(2)
  expect(err).toContain('does not say who')
  expect(fake.requests).toEqual([])
})

test('prints the secret of a key alone, for a pipe', async () => {
  fake.answers.createKey = { ...key, secret: 'brt_key_secret' }
  const { code, out, err } = await run('key', 'create', 'nightly', '-p', 'web', '--days', '30')
  expect([code, out]).toEqual([0, 'brt_key_secret\n'])
  expect(err).toContain('not shown again')
  expect(fake.said.createKey?.body).toEqual({ name: 'nightly', days: 30 })
  fake.answers.rotateKey = { ...key, secret: 'brt_key_other' }
  const rotated = await run('key', 'rotate', key.id, '--grace-hours', '24')
  expect([rotated.code, rotated.out]).toEqual([0, 'brt_key_other\n'])
  expect(rotated.err).toContain('counts for 24 h more')
  expect((await run('key', 'create', 'x', '--days', '366')).code).toBe(2)
})

test('lists keys with what is over, and revokes one', async () => {
  const revoked = { ...key, id: nextId('key'), role: undefined, revokedAt: at }
  fake.answers.listKeys = { items: [key, revoked] }
  const { out } = await run('key', 'ls')
  expect(out).toContain(key.id)
  expect(out).toContain('revoked 2030-01-31')
  expect((await run('key', 'revoke', key.id)).out).toBe(`Revoked ${key.id}.\n`)
  expect(fake.requests.at(-1)).toBe(`DELETE /api/projects/default/keys/${key.id}`)
})

test('tells who one is, and what one may do and why', async () => {
  fake.answers.getMe = {
    ...{
      principal: by,
      platformAdmin: false,
      mayCreateProjects: true,
      groups: ['/teams/web'],
      expiresAt: at,
    },
  }
  fake.answers.listMyProjects = { items: [{ project: 'web', role: 'editor' }] }
  const { out } = await run('access')
  expect(out).toMatch(/user:owner Owner[\s\S]*may create projects[\s\S]*\/teams\/web[\s\S]*web +editor/)
  const sources = [{ kind: 'group', id: '/teams/web', role: 'editor' }]
  fake.answers.getProjectAccess = {
    project: 'web',
    principal: by,
    role: 'editor',
    sources,
    permissions: ['getProject'],
  }
  expect((await run('access', 'web')).out).toBe(
    'editor in web\n  editor as group:/teams/web\n\nMay: getProject\n',
  )
})

test('revokes everything of somebody and tells what it was', async () => {
  fake.answers.revokeAccess = {
    subject: { kind: 'user', id: 'ada' },
    revokedBefore: at,
    memberships: [{ project: 'web', role: 'admin' }],
    keys: [{ project: 'web', id: key.id, name: 'nightly' }],
    sessions: 2,
    withoutAdmin: ['web'],
  }
  const { code, out } = await run('revoke', 'user:ada', '--keys')
  expect(code).toBe(0)
  for (const text of ['web (admin)', key.id, 'login links: 2', 'without an admin now: web'])
    expect(out).toContain(text)
  expect(fake.said.revokeAccess?.body).toEqual({ subject: { kind: 'user', id: 'ada' }, keys: true })
})
