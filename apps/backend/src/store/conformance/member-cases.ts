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
    await set(ada, 'admin')
    await set(team, 'viewer')
    await set(ada, 'editor')
    const added = { project, addedAt: startOfTime, addedBy: person }
    expect(await store.members(project)).toEqual([
      { ...team, ...added, role: 'viewer' },
      { ...ada, ...added, role: 'editor' },
    ])
    await store.removeMember(project, ada)
    await store.removeMember(project, ada)
    expect(await store.roleOf(project, [ada])).toBeUndefined()
    expect((await store.members(project)).map(({ id }) => id)).toEqual([team.id])
  })

  it('has no members where there is no project', async () => {
    expect(await codeOf(set(ada, 'viewer', 'missing'))).toBe('project_not_found')
    expect(await bench().store.members('missing')).toEqual([])
  })
}
