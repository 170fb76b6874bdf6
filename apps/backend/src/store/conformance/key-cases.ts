import { limits, type Subject } from '@berth/contract'
import { expect, it } from 'vitest'
import { type Bench, codeOf, newId, person, startOfTime } from './harness.ts'

const day = 86_400_000
const now = startOfTime

export const keyCases = (bench: () => Bench) => {
  const create = (more: object = {}) =>
    bench().store.createKey({
      ...{ id: newId('key'), project: bench().project, name: 'ci', role: 'editor' as const },
      ...{ hash: 'h1', createdBy: person, now, expiresAt: now + day, ...more },
    })
  const roleOf = (id: string, project = bench().project) =>
    bench().store.roleOf(project, [{ kind: 'key', id }])

  it('makes a key that is a member of its project, and tells neither secret nor hash', async () => {
    const key = await create()
    expect(key).toMatchObject({ name: 'ci', role: 'editor', createdBy: person, revokedAt: undefined })
    expect(JSON.stringify(key)).not.toContain('h1')
    expect(await bench().store.keys(bench().project)).toEqual([key])
    expect(await roleOf(key.id)).toBe('editor')
    expect(await bench().store.keyCredential(key.id)).toEqual({
      ...{ id: key.id, project: bench().project, name: 'ci', hash: 'h1' },
      expiresAt: now + day,
    })
    expect(await codeOf(create({ project: 'nowhere' }))).toBe('project_not_found')
  })

  it('revokes a key in every project at once, once', async () => {
    const { store, project } = bench()
    const { id } = await create()
    const other = `${project}-other`
    const names = { name: other, displayName: other, description: '', settings: {}, now }
    await store.createProject(names)
    await store.setMember({ project: other, kind: 'key', id, role: 'viewer', addedAt: now, addedBy: person })
    expect(await roleOf(id, other)).toBe('viewer')
    expect(await codeOf(store.revokeKey(other, id, now))).toBe('key_not_found')
    await store.revokeKey(project, id, now + 5)
    expect([await roleOf(id), await roleOf(id, other)]).toEqual([undefined, undefined])
    expect(await store.keyCredential(id)).toBeUndefined()
    expect(await store.keys(project)).toMatchObject([{ id, revokedAt: now + 5, role: undefined }])
    expect(await codeOf(store.revokeKey(project, id, now))).toBe('key_not_found')
    const change = { hash: 'h2', now, graceUntil: now, expiresAt: now + day }
    expect(await codeOf(store.rotateKey(project, id, change))).toBe('key_not_found')
  })

  it('rotates a key, and remembers one secret of before', async () => {
    const { store, project } = bench()
    const { id } = await create()
    await store.rotateKey(project, id, { hash: 'h2', now, graceUntil: now + 5, expiresAt: now + 2 * day })
    expect(await store.keyCredential(id)).toMatchObject({
      ...{ hash: 'h2', previousHash: 'h1', graceUntil: now + 5, expiresAt: now + 2 * day },
    })
    const key = await store.rotateKey(project, id, { hash: 'h3', now, graceUntil: 0, expiresAt: now + day })
    expect(key).toMatchObject({ id, rotatedAt: now, role: 'editor' })
    expect(await store.keyCredential(id)).toMatchObject({ hash: 'h3', previousHash: 'h2', graceUntil: 0 })
  })

  it('notes uses, at most one a minute', async () => {
    const { store, project } = bench()
    const { id } = await create()
    const used = async (at: number, address: string | undefined) => {
      await store.touchKey(id, { now: at, address })
      const [key] = await store.keys(project)
      return [key?.lastUsedAt, key?.lastUsedAddress]
    }
    expect(await used(now, '::1')).toEqual([now, '::1'])
    expect(await used(now + 59_999, '::2')).toEqual([now, '::1'])
    expect(await used(now + 60_000, undefined)).toEqual([now + 60_000, undefined])
  })

  it('forgets keys that have been of no use for long, and their memberships elsewhere', async () => {
    const { store, project } = bench()
    const { id } = await create()
    const kept = await create({ expiresAt: now + 200 * day })
    const after = now + day + limits.keptKeyDays * day
    await store.expire({ now: after - 1, before: 0 })
    expect(await store.keys(project)).toHaveLength(2)
    await store.expire({ now: after, before: 0 })
    expect((await store.keys(project)).map((key) => key.id)).toEqual([kept.id])
    expect([await roleOf(id), await roleOf(kept.id)]).toEqual([undefined, 'editor'])
  })
}

export const revocationCases = (bench: () => Bench) => {
  const ada: Subject = { kind: 'user', id: 'ada' }
  const member = (subject: Subject, role: 'admin' | 'viewer', project = bench().project) =>
    bench().store.setMember({ project, ...subject, role, addedAt: now, addedBy: person })

  it('takes everything from somebody, and leaves others theirs', async () => {
    const { store, project } = bench()
    const bob: Subject = { kind: 'user', id: 'bob' }
    await member(ada, 'admin')
    await member(bob, 'viewer')
    const given = { project, name: 'ci', role: 'editor' as const, now, expiresAt: now + day }
    const made = await store.createKey({ ...given, id: newId('key'), hash: 'a', createdBy: person })
    const other = await store.createKey({
      ...{ ...given, id: newId('key'), hash: 'b' },
      createdBy: { kind: 'user', id: 'bob' },
    })
    for (const [hash, id] of [
      ['of-ada', 'ada'],
      ['of-bob', 'bob'],
    ] as const)
      await store.putGrant({ kind: 'browser', hash, principal: { kind: 'user', id }, expiresAt: now + day })
    expect(await store.revokedBefore(ada)).toBeUndefined()
    expect(await store.revokeSubject({ subject: ada, keys: true, now: now + 1 })).toEqual({
      memberships: [{ project, role: 'admin' }],
      keys: [{ project, id: made.id, name: 'ci' }],
      sessions: 1,
      withoutAdmin: [project],
    })
    expect(await store.revokedBefore(ada)).toBe(now + 1)
    expect(await store.roleOf(project, [ada])).toBeUndefined()
    expect(await store.keyCredential(made.id)).toBeUndefined()
    expect(await store.grant('browser', 'of-ada', now)).toBeUndefined()
    expect(await store.roleOf(project, [bob])).toBe('viewer')
    expect(await store.keyCredential(other.id)).toMatchObject({ id: other.id })
    expect(await store.grant('browser', 'of-bob', now)).toMatchObject({ hash: 'of-bob' })
    expect(await store.revokedBefore(bob)).toBeUndefined()
  })

  it('leaves keys that somebody made unless it is told otherwise, and revokes a key that is the subject', async () => {
    const { store, project } = bench()
    const id = newId('key')
    const given = { id, project, name: 'ci', role: 'admin' as const, hash: 'a', createdBy: person }
    await store.createKey({ ...given, now, expiresAt: now + day })
    expect(await store.revokeSubject({ subject: ada, keys: false, now })).toMatchObject({ keys: [] })
    expect(await store.keyCredential(id)).toMatchObject({ id })
    const revoked = await store.revokeSubject({ subject: { kind: 'key', id }, keys: false, now })
    expect(revoked).toMatchObject({
      keys: [{ id }],
      memberships: [{ project, role: 'admin' }],
      withoutAdmin: [],
    })
    expect(await store.keyCredential(id)).toBeUndefined()
  })

  it('never lets a revocation become older', async () => {
    const { store } = bench()
    await store.revokeSubject({ subject: ada, keys: false, now: now + 9 })
    await store.revokeSubject({ subject: ada, keys: false, now })
    expect(await store.revokedBefore(ada)).toBe(now + 9)
  })
}
