import { expect, it } from 'vitest'
import { type Bench, codeOf, launch, newId, person, promptCommand, remove, startOfTime } from './harness.ts'

export const lifecycleCases = (bench: () => Bench) => {
  const create = (name: string, creator = person, maxOwn = 50) =>
    bench().store.createProject({
      ...{ name, displayName: name, description: '', settings: {}, now: startOfTime },
      creator,
      maxOwn,
    })
  const ada = { subjects: [{ kind: 'user' as const, id: person.id }] }
  const begin = () => bench().store.beginDeletion(bench().project, { by: person, now: startOfTime })

  it('makes the creator of a project its admin, and lets one create only so many', async () => {
    const name = `${bench().project}-own`
    const creator = { kind: 'user' as const, id: `creator-of-${name}` }
    await create(name, creator, 1)
    expect(await bench().store.roleOf(name, [creator])).toBe('admin')
    expect(await codeOf(create(`${name}-2`, creator, 1))).toBe('too_many_projects')
    expect(await bench().store.roleOf(`${name}-2`, [creator])).toBeUndefined()
    expect(await codeOf(create(name, { kind: 'user', id: 'eve' }))).toBe('project_exists')
    expect(await bench().store.roleOf(name, [{ kind: 'user', id: 'eve' }])).toBeUndefined()
  })

  it('[P161] lets nothing begin in an archived project, and takes it back', async () => {
    const { store, project } = bench()
    const session = await bench().session()
    const archive = (archived: boolean) => store.setArchived(project, { archived, now: startOfTime })
    expect(await archive(true)).toMatchObject({ state: 'archived', version: 2 })
    expect(await archive(true)).toMatchObject({ version: 2 })
    expect(await store.projectState(project)).toBe('archived')
    expect(await codeOf(bench().session())).toBe('project_archived')
    expect(await codeOf(bench().append(session, promptCommand()))).toBe('project_archived')
    const names = async (archived: boolean) =>
      (await store.projects({ limit: 200 }, { archived })).items.map(({ name }) => name)
    expect([(await names(false)).includes(project), (await names(true)).includes(project)]).toEqual([
      false,
      true,
    ])
    expect(await store.unsettled()).toContainEqual({ project, state: 'archived' })
    expect(await store.sessionsOf(project, { after: '', limit: 9, running: true })).toEqual([session])
    await bench().append(session, { kind: 'stop', actor: person, reason: 'user' })
    expect(await store.unsettled()).not.toContainEqual({ project, state: 'archived' })
    await archive(false)
    await bench().append(session, promptCommand())
  })

  it('[P162] finds nothing of a project that is being deleted, but its deletion', async () => {
    const { store, project } = bench()
    const session = await bench().session()
    await store.setMember({
      ...{ project, kind: 'user', id: person.id, role: 'admin' },
      ...{ addedAt: startOfTime, addedBy: person },
    })
    const row = { project, since: startOfTime, by: person, step: 'sessions', sessions: 1 }
    expect(await begin()).toEqual(row)
    expect(await store.beginDeletion(project, { by: { kind: 'user', id: 'eve' }, now: 5 })).toEqual(row)
    expect(await store.deletion(project)).toEqual(row)
    expect(await store.projectState(project)).toBe('deleting')
    expect(await store.project(project)).toBeUndefined()
    expect(await store.projectSettings(project)).toBeUndefined()
    expect(await store.roleOf(project, ada.subjects)).toBeUndefined()
    expect(await store.roleOf(project, ada.subjects, { deleting: true })).toBe('admin')
    expect((await store.rolesOf(ada.subjects)).has(project)).toBe(false)
    expect(await store.sessionAccess(project, session)).toBeUndefined()
    expect((await store.heads({ sessions: [], projects: [project] })).projects.size).toBe(0)
    const both = await store.projects({ limit: 200 }, { archived: true })
    expect(both.items.map(({ name }) => name)).not.toContain(project)
    const refused = [
      bench().session(),
      bench().append(session, promptCommand()),
      store.revision(project),
      store.setArchived(project, { archived: true, now: startOfTime }),
      store.editProject(project, { displayName: 'x', expectedVersion: 1, now: startOfTime }),
    ]
    expect(new Set(await Promise.all(refused.map(codeOf)))).toEqual(new Set(['project_not_found']))
    expect(await codeOf(create(project))).toBe('project_exists')
    await store.setDeletionStep(project, 'runtime')
    expect((await store.deletion(project))?.step).toBe('runtime')
    expect(await codeOf(store.finishDeletion(project))).toBe('unavailable')
  })

  it('[P162] [S8] shows a new project of the same name nothing of the former one', async () => {
    const { store, project } = bench()
    const key = { scope: `user:ada POST /api/projects/${project}/sessions`, key: 'k', hash: 'h' }
    const session = newId('session')
    const command = {
      ...{ kind: 'create' as const, actor: person, session, project, title: 'T', labels: {} },
      ...{ repositories: [], settings: {}, model: 'scripted' as const },
    }
    await bench().append(session, command, { idempotency: key })
    await bench().append(session, launch)
    await store.makeBase(project, { key: 'b', scope: `base_${project}` })
    await store.setMember({
      ...{ project, kind: 'user', id: 'bob', role: 'admin' },
      ...{ addedAt: startOfTime, addedBy: person },
    })
    await begin()
    await bench().append(session, { ...(remove() as object), sooner: true } as ReturnType<typeof remove>)
    await store.purge(session, startOfTime)
    expect(await store.countSessions(project)).toBe(0)
    expect(await store.basesOf(project, 9)).toEqual([`base_${project}`])
    await store.removeBase(`base_${project}`)
    await store.finishDeletion(project)
    await store.finishDeletion(project)
    expect(await store.projectState(project)).toBeUndefined()
    await create(project)
    expect(await store.members(project)).toMatchObject([{ id: person.id, role: 'admin' }])
    expect(await store.base(project, 'b')).toBeUndefined()
    expect((await store.project(project))?.sessions).toBe(0)
    expect(await store.outcome(key, startOfTime)).toBeUndefined()
    // Whoever followed the former one's list has to list again, however far they had come.
    for (let after = 0; after < 4; after++)
      expect(await store.changes(project, { after, limit: 1 })).toEqual({ items: [], reset: true })
    const fresh = await bench().session({ project })
    const { items } = await store.changes(project, { after: await store.revision(project), limit: 9 })
    expect(items).toEqual([])
    expect(await store.sessionsOf(project, { after: '', limit: 9 })).toEqual([fresh])
  })

  it('purges a deleted session sooner, never later', async () => {
    const session = await bench().session()
    const later = startOfTime + 1000
    await bench().append(session, remove(later))
    const sooner = (at: number) => ({ ...(remove(at) as object), sooner: true }) as ReturnType<typeof remove>
    const { state } = await bench().append(session, sooner(later - 500))
    expect(state.summary.purgeAt).toBe(new Date(later - 500).toISOString())
    expect((await bench().append(session, sooner(later))).lines).toEqual([])
  })
}
