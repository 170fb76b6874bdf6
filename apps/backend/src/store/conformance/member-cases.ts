import type { ProjectRole, Subject } from '@berth/contract'
import { expect, it } from 'vitest'
import { type Bench, codeOf, person, startOfTime } from './harness.ts'

const ada: Subject = { kind: 'user', id: 'ada@example.com' }
const team: Subject = { kind: 'group', id: 'team: web/ops' }

export const memberCases = (bench: () => Bench) => {
  const set = (subject: Subject, role: ProjectRole, project = bench().project) =>
    bench().store.setMember({ ...subject, project, role, addedAt: startOfTime, addedBy: person })

  it('gives the highest role of all names, in this project only', async () => {
    const { store, project } = bench()
    expect(await store.roleOf(project, [ada, team])).toBeUndefined()
    await set(ada, 'viewer')
    await set(team, 'editor')
    expect(await store.roleOf(project, [ada])).toBe('viewer')
    for (const names of [
      [ada, team],
      [team, ada],
    ])
      expect(await store.roleOf(project, names)).toBe('editor')
    expect(await store.roleOf('another', [ada, team])).toBeUndefined()
    expect(await store.roleOf(project, [])).toBeUndefined()
    expect(Object.fromEntries(await store.rolesOf([ada, team]))).toMatchObject({ [project]: 'editor' })
  })

  it('takes a name for what it is: no kind for another, no beginning for the whole', async () => {
    const { store, project } = bench()
    await set({ kind: 'group', id: 'ops' }, 'admin')
    for (const other of [
      { kind: 'user', id: 'ops' },
      { kind: 'group', id: 'op' },
      { kind: 'group', id: 'OPS' },
      { kind: 'group', id: 'ops ' },
      { kind: 'user', id: 'group:ops' },
    ] as const)
      expect(await store.roleOf(project, [other])).toBeUndefined()
  })

  it('finds a role among as many names as a principal may have', async () => {
    const { store, project } = bench()
    const names = Array.from({ length: 256 }, (_, index): Subject => ({ kind: 'group', id: `g${index}` }))
    await set({ kind: 'group', id: 'g254' }, 'editor')
    for (const count of [1, 2, 3, 255, 256])
      expect([count, await store.roleOf(project, names.slice(-count))]).toEqual([
        count,
        count === 1 ? undefined : 'editor',
      ])
  })

  it('replaces a role, lists members by name, and forgets them at once', async () => {
    const { store, project } = bench()
    await set(ada, 'viewer')
    await set(team, 'viewer')
    await set(ada, 'editor')
    const added = { project, addedAt: startOfTime, addedBy: person }
    expect(await store.members(project)).toEqual([
      { ...team, ...added, role: 'viewer' },
      { ...ada, ...added, role: 'editor' },
    ])
    expect(await store.removeMember(project, ada)).toBe(true)
    expect(await store.removeMember(project, ada)).toBe(false)
    expect(await store.roleOf(project, [ada])).toBeUndefined()
    expect((await store.members(project)).map(({ id }) => id)).toEqual([team.id])
  })

  it('has no members where there is no project', async () => {
    expect(await codeOf(set(ada, 'viewer', 'missing'))).toBe('project_not_found')
    expect(await bench().store.members('missing')).toEqual([])
  })

  it('keeps the last admin that is no key, unless it is forced', async () => {
    const { store, project } = bench()
    const bob: Subject = { kind: 'user', id: 'bob' }
    await set(ada, 'admin')
    await set({ kind: 'key', id: 'key_1' }, 'admin')
    expect(await codeOf(set(ada, 'editor'))).toBe('last_admin')
    expect(await codeOf(store.removeMember(project, ada))).toBe('last_admin')
    expect(await codeOf(set(ada, 'admin'))).toBe('fulfilled')
    await set(team, 'admin')
    expect(await codeOf(store.removeMember(project, ada))).toBe('fulfilled')
    expect(await codeOf(store.removeMember(project, team))).toBe('last_admin')
    expect(await codeOf(store.removeMember(project, { kind: 'key', id: 'key_1' }))).toBe('fulfilled')
    expect(await store.removeMember(project, bob, { force: true })).toBe(false)
    expect(await store.removeMember(project, team, { force: true })).toBe(true)
    expect(await store.members(project)).toEqual([])
  })

  it('lets one of two who remove or lower the last two admins at once win', async () => {
    const { store, project } = bench()
    for (let round = 0; round < 5; round++) {
      await set(ada, 'admin')
      await set(team, 'admin')
      const both = [codeOf(store.removeMember(project, ada)), codeOf(set(team, 'viewer'))]
      expect((await Promise.all(both)).sort()).toEqual(['fulfilled', 'last_admin'])
    }
  })

  it('lets nobody change admins who may not', async () => {
    const { store, project } = bench()
    await set(ada, 'admin')
    await set(team, 'admin')
    const guard = { sparesAdmins: true }
    expect(await codeOf(store.removeMember(project, ada, guard))).toBe('forbidden')
    const lowered = { ...ada, project, role: 'viewer' as const, addedAt: 0, addedBy: person }
    expect(await codeOf(store.setMember(lowered, guard))).toBe('forbidden')
    expect(await store.roleOf(project, [ada])).toBe('admin')
  })
}
