import { type Actor, highestRole, type ProjectRole, type SessionAccess, type Subject } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { Standing } from './standing.ts'

const place = { project: 'web', session: 'ses_1' }
const open: SessionAccess = { owner: { kind: 'user', id: 'bob' }, visibility: 'project', shares: [] }
const hidden: SessionAccess = { ...open, visibility: 'private' }
const now = 1000

interface World {
  members?: Record<string, ProjectRole>
  groups?: string[]
  access?: SessionAccess
  key?: { expiresAt: number }
  gone?: boolean
}

const standingIn = ({ members = {}, groups = [], access = open, key, gone }: World) => {
  const noted: unknown[] = []
  const found = key && { id: 'key_1', project: 'web', name: 'bot', hash: '', lastUsedAt: undefined, ...key }
  const standing = new Standing({
    store: {
      roleOf: async (_, subjects) =>
        highestRole(subjects.flatMap(({ kind, id }) => members[`${kind}:${id}`] ?? [])),
      sessionAccess: async () => (gone ? undefined : access),
      groupsOf: async () => groups,
      noteGroups: async (seen) => void noted.push(seen),
      keyCredential: async () => found && { previousHash: undefined, graceUntil: undefined, ...found },
      projectSettings: async () => (gone ? undefined : { settings: {}, settingsVersion: 1 }),
    },
    owner: 'owner',
    admins: [{ kind: 'group', id: 'platform' }],
    now: () => now,
  })
  return { standing, noted }
}

const ada: Actor = { kind: 'user', id: 'ada' }
const bot: Actor = { kind: 'key', id: 'key_1' }

describe('[P157] the role of whoever asked earlier', () => {
  it.each<[string, Actor, World, ProjectRole | undefined]>([
    ['is that of a membership', ada, { members: { 'user:ada': 'editor' } }, 'editor'],
    ['is none without one', ada, {}, undefined],
    ['comes through a group', ada, { members: { 'group:ops': 'admin' }, groups: ['dev', 'ops'] }, 'admin'],
    [
      'is the highest of all',
      ada,
      { members: { 'user:ada': 'viewer', 'group:ops': 'editor' }, groups: ['ops'] },
      'editor',
    ],
    [
      'is none through a group of before',
      ada,
      { members: { 'group:ops': 'admin' }, groups: ['dev'] },
      undefined,
    ],
    ['is admin for the owner', { kind: 'user', id: 'owner' }, {}, 'admin'],
    ['is admin for an admin of the platform', ada, { groups: ['platform'] }, 'admin'],
    ['is none in a project that is gone', { kind: 'user', id: 'owner' }, { gone: true }, undefined],
    ['is none in a session that is gone', ada, { members: { 'user:ada': 'admin' }, gone: true }, undefined],
    ['is that of a key', bot, { members: { 'key:key_1': 'editor' }, key: { expiresAt: now + 1 } }, 'editor'],
    [
      'is none of a key that expired',
      bot,
      { members: { 'key:key_1': 'admin' }, key: { expiresAt: now } },
      undefined,
    ],
    ['is none of a key that is gone', bot, { members: { 'key:key_1': 'admin' } }, undefined],
    [
      'is none of a key that is called as the owner',
      { kind: 'key', id: 'owner' },
      { key: { expiresAt: now + 1 } },
      undefined,
    ],
    ['is no group’s of a key', bot, { groups: ['platform'], key: { expiresAt: now + 1 } }, undefined],
    [
      'is that of a service',
      { kind: 'service', id: 'kubernetes:a:b' },
      { members: { 'service:kubernetes:a:b': 'editor' } },
      'editor',
    ],
    ['is none of a runner', { kind: 'runner', id: 'ada' }, { members: { 'user:ada': 'admin' } }, undefined],
    [
      'is none in a private session of another',
      ada,
      { members: { 'user:ada': 'editor' }, access: hidden },
      undefined,
    ],
    [
      'is all of it in an own one',
      { kind: 'user', id: 'bob' },
      { members: { 'user:bob': 'editor' }, access: hidden },
      'editor',
    ],
    [
      'is that of a share, also of a group’s',
      ada,
      {
        ...{ members: { 'user:ada': 'editor' }, groups: ['ops'] },
        access: { ...hidden, shares: [{ kind: 'group', id: 'ops', role: 'viewer' }] },
      },
      'viewer',
    ],
  ])('%s', async (_, actor, world, role) => {
    expect(await standingIn(world).standing.roleIn(actor, place)).toBe(role)
  })

  it('is asked with the groups that were seen last, of people and services alone', async () => {
    const { standing, noted } = standingIn({})
    const principal = (actor: Actor) => {
      const subjects: Subject[] = [
        { kind: 'user', id: 'ada' },
        { kind: 'group', id: 'ops' },
      ]
      return { actor, subjects, platformAdmin: false, mayCreateProjects: false }
    }
    await standing.note(principal({ ...ada, name: 'Ada' }))
    await standing.note(principal(bot))
    expect(noted).toEqual([{ subject: ada, groups: ['ops'], now }])
  })
})
