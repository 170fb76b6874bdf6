import { expect, it } from 'vitest'
import { type Bench, codeOf, remove, startOfTime } from './harness.ts'

export const projectCases = (bench: () => Bench) => {
  const create = (name: string) =>
    bench().store.createProject({
      name,
      displayName: name.toUpperCase(),
      description: 'd',
      settings: { model: 'm' },
      now: startOfTime,
    })

  it('creates, reads and lists by name', async () => {
    const made = await create('c')
    expect(made).toEqual({
      name: 'c',
      displayName: 'C',
      description: 'd',
      createdAt: new Date(startOfTime).toISOString(),
      updatedAt: new Date(startOfTime).toISOString(),
      version: 1,
      sessions: 0,
      settings: { model: 'm' },
      settingsVersion: 1,
      state: 'active',
    })
    expect(await bench().store.project('c')).toEqual(made)
    expect(await bench().store.project('none')).toBeUndefined()
    expect(await codeOf(create('c'))).toBe('project_exists')
    await create('a')
    const first = await bench().store.projects({ limit: 2 })
    const second = await bench().store.projects({ limit: 2, cursor: first.next })
    expect([first, second].map(({ items }) => items.map(({ name }) => name))).toEqual([
      ['a', 'c'],
      [bench().project],
    ])
    expect(second.next).toBeUndefined()
  })

  it('counts sessions that are not deleted', async () => {
    await bench().session()
    await bench().append(await bench().session(), remove())
    expect((await bench().store.project(bench().project))?.sessions).toBe(1)
    expect((await bench().store.projects({ limit: 1 })).items[0]?.sessions).toBe(1)
  })

  it('edits names and settings, with a version each', async () => {
    const edit = bench().store.editProject.bind(bench().store)
    const named = await edit(bench().project, {
      displayName: 'New',
      expectedVersion: 1,
      now: startOfTime + 1,
    })
    expect(named).toMatchObject({ displayName: 'New', description: '', version: 2, settingsVersion: 1 })
    expect(named.updatedAt).toBe(new Date(startOfTime + 1).toISOString())
    const set = await edit(bench().project, {
      settings: { turnMinutes: 5 },
      expectedVersion: 1,
      now: startOfTime + 2,
    })
    expect(set).toMatchObject({ settings: { turnMinutes: 5 }, version: 2, settingsVersion: 2 })
    const stale = { expectedVersion: 1, now: startOfTime }
    expect(await codeOf(edit(bench().project, { description: 'x', ...stale }))).toBe('version_mismatch')
    expect(await codeOf(edit(bench().project, { settings: {}, ...stale }))).toBe('version_mismatch')
    expect(await codeOf(edit('none', { displayName: 'x', ...stale }))).toBe('project_not_found')
    expect(await bench().store.project(bench().project)).toEqual(set)
  })

  it('lets one of two edits of the same version win', async () => {
    const edits = ['a', 'b'].map((displayName) =>
      codeOf(
        bench().store.editProject(bench().project, { displayName, expectedVersion: 1, now: startOfTime }),
      ),
    )
    expect((await Promise.all(edits)).sort()).toEqual(['fulfilled', 'version_mismatch'])
  })
}
