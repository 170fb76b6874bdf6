import type { Share, Subject, Visibility } from '@berth/contract'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isFor, type Reader, sessionRole } from '../../auth/session-role.ts'
import type { ChangeLine } from '../port.ts'
import { type Bench, codeOf, person, promptCommand, remove, startOfTime, summaryOf } from './harness.ts'

const reader = (...ids: string[]): Reader => ({
  role: 'editor',
  subjects: ids.map((id): Subject => ({ kind: 'user', id })),
})
const ada = reader('ada')
const bob = reader('bob')
const admin: Reader = { role: 'admin', subjects: [] }

export const sharingCases = (bench: () => Bench) => {
  const share = (session: string, change: { visibility?: Visibility; shares?: Share[] }, version = 1) =>
    bench().append(session, { kind: 'share', actor: person, ...change, expectedVersion: version })
  const listed = async (who: Reader, limit = 50) =>
    (await bench().store.list(bench().project, { deleted: false, reader: who }, { limit })).items.map(
      (item) => summaryOf(item).id,
    )
  const told = async (who: Reader | undefined, after = 0, limit = 100) =>
    (await bench().store.changes(bench().project, { after, limit, reader: who })).items
  const short = (items: ChangeLine[]) =>
    items.map((item) => ('removed' in item ? `- ${item.removed}` : `+ ${summaryOf(item.summary).id}`))

  it('[P160] says who owns a session and who sees it, in its own project only', async () => {
    const session = await bench().session({ visibility: 'private' })
    const { store, project } = bench()
    expect(await store.sessionAccess(project, session)).toEqual({
      owner: { kind: 'user', id: 'ada' },
      visibility: 'private',
      shares: [],
    })
    expect(await store.sessionAccess('none', session)).toBeUndefined()
    const shares: Share[] = [{ kind: 'group', id: 'a"b\\', role: 'editor' }]
    const { state } = await share(session, { shares })
    expect(state.summary).toMatchObject({ visibility: 'private', version: 2 })
    expect((await store.sessionAccess(project, session))?.shares).toEqual(shares)
    expect(await codeOf(share(session, { shares: [] }))).toBe('version_mismatch')
  })

  it('[P160] lists private sessions to those who see them, in full pages', async () => {
    const open = await bench().session({ owner: 'bob', now: startOfTime })
    for (let i = 1; i < 6; i++)
      await bench().session({ owner: 'bob', visibility: 'private', now: startOfTime + i })
    const own = await bench().session({ visibility: 'private', now: startOfTime + 6 })
    expect(await listed(ada)).toEqual([own, open])
    expect(await listed(ada, 1)).toEqual([own])
    const page = await bench().store.list(bench().project, { deleted: false, reader: ada }, { limit: 1 })
    const next = { limit: 1, cursor: page.next }
    const rest = await bench().store.list(bench().project, { deleted: false, reader: ada }, next)
    expect(rest.items.map((item) => summaryOf(item).id)).toEqual([open])
    expect(rest.next).toBeUndefined()
    for (const [who, count] of [
      [admin, 7],
      [bob, 6],
      [reader(), 1],
      [reader('eve'), 1],
    ] as const)
      expect(await listed(who)).toHaveLength(count)
    const { store, project } = bench()
    const filter = { deleted: false, reader: ada, owner: 'bob', text: 'title' }
    expect((await store.list(project, filter, { limit: 9 })).items).toHaveLength(1)
  })

  it('[P160] counts only what somebody sees', async () => {
    await bench().session({ owner: 'bob', visibility: 'private' })
    await bench().session({ owner: 'bob' })
    const count = async (id: string) => {
      const viewer = { subjects: [{ kind: 'user' as const, id }] }
      const { items } = await bench().store.projects({ limit: 200 }, { viewer })
      const counted = (await bench().store.project(bench().project, viewer))?.sessions
      expect(items.find(({ name }) => name === bench().project)?.sessions).toBe(counted)
      return counted
    }
    const member = { project: bench().project, kind: 'user' as const, addedAt: startOfTime, addedBy: person }
    await bench().store.setMember({ ...member, id: 'root', role: 'admin' })
    await bench().store.setMember({ ...member, id: 'ada', role: 'editor' })
    expect([await count('ada'), await count('bob'), await count('root')]).toEqual([1, 2, 2])
    expect((await bench().store.project(bench().project))?.sessions).toBe(2)
  })

  it('[P160] tells a list’s changes only of what the reader sees, and once that it is gone', async () => {
    const session = await bench().session({ owner: 'bob' })
    const before = await bench().store.revision(bench().project)
    const notices = bench().watch()
    await share(session, { visibility: 'private', shares: [{ kind: 'user', id: 'eve', role: 'viewer' }] })
    await bench().append(session, promptCommand())
    expect(short(await told(ada, before))).toEqual([`- ${session}`])
    expect(short(await told(bob, before))).toEqual([`+ ${session}`])
    expect(short(await told(admin, before))).toEqual([`+ ${session}`])
    const removed = notices[0]?.hidden
    expect(removed).toMatchObject({ revision: before + 1, removed: session })
    expect(notices[0]?.change).toMatchObject({ revision: before + 2 })
    expect(isFor(ada, removed?.audience)).toBe(true)
    expect(isFor(bob, removed?.audience)).toBe(false)
    await share(session, { shares: [] }, 2)
    expect(short(await told(reader('eve'), before + 2))).toEqual([`- ${session}`])
    expect(short(await told(ada, before + 2))).toEqual([])
    await share(session, { visibility: 'project' }, 3)
    expect(short(await told(ada, before + 2))).toEqual([`+ ${session}`])
  })

  it('[P160] buries a private session for those who saw it', async () => {
    const session = await bench().session({ owner: 'bob', visibility: 'private' })
    await bench().append(session, remove())
    const before = await bench().store.revision(bench().project)
    const notices = bench().watch()
    await bench().store.purge(session, startOfTime)
    expect(short(await told(ada, before))).toEqual([])
    expect(short(await told(bob, before))).toEqual([`- ${session}`])
    expect(
      notices.map(({ change }) => change && 'audience' in change && isFor(ada, change.audience)),
    ).toEqual([false])
  })

  it('[P160] sees in the database as the rule says', async () => {
    const ids = ['ada', 'bob', 'x"', 'x', '},{"kind":"user","id":"ada",']
    const share = fc.record({
      kind: fc.constantFrom('user' as const, 'group' as const),
      id: fc.constantFrom(...ids),
      role: fc.constantFrom('viewer' as const, 'editor' as const),
    })
    const one = fc.record({
      owner: fc.constantFrom(...ids),
      visibility: fc.constantFrom('project' as const, 'private' as const),
      shares: fc.uniqueArray(share, { maxLength: 3, selector: ({ kind, id }) => `${kind}:${id}` }),
    })
    const [sessions] = fc.sample(fc.array(one, { minLength: 20, maxLength: 20 }), 1)
    const made = await Promise.all(
      (sessions ?? []).map(async ({ owner, visibility, shares }) => {
        const session = await bench().session({ owner, visibility })
        await bench().append(session, { kind: 'share', actor: person, shares, expectedVersion: 1 })
        return { session, access: { owner: { kind: 'user', id: owner }, visibility, shares } }
      }),
    )
    for (const id of ids)
      for (const kind of ['user', 'group'] as const) {
        const who: Reader = { role: 'viewer', subjects: [{ kind, id }] }
        const expected = made.filter(({ access }) => sessionRole(who, access) !== undefined)
        const names = expected.map(({ session }) => session).sort()
        expect((await listed(who)).sort()).toEqual(names)
        const all = made.map(({ session }) => session)
        expect([...(await bench().store.seen(all, who))].sort()).toEqual(names)
        expect(short(await told(who)).sort()).toEqual(names.map((name) => `+ ${name}`))
      }
  })
}
