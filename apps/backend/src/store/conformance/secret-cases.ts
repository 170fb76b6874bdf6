import { limits } from '@berth/contract'
import { expect, it } from 'vitest'
import { type Bench, codeOf, newId, person, startOfTime } from './harness.ts'

export const secretCases = (bench: () => Bench) => {
  const draft = (name: string, more: object = {}) => ({
    ...{ project: bench().project, name, kind: 'git-host' as const, note: 'n', fingerprint: 'f' },
    ...{ setBy: person, sealed: `sealed-${name}`, keyId: 'k1', bytes: 10, now: startOfTime },
    ...more,
  })

  it('keeps secrets with their current value, and former ones to be hidden', async () => {
    const { store, project } = bench()
    expect(await store.secretStamp(project)).toBe(0)
    expect(await store.knownSecrets(project)).toEqual({ stamp: 0, items: [] })
    const first = await store.putSecret(draft('b', { variable: 'X', kind: 'environment' }))
    expect(first).toEqual({
      ...{
        name: 'b',
        kind: 'environment',
        variable: 'X',
        note: 'n',
        version: 1,
        fingerprint: 'f',
        keyId: 'k1',
      },
      ...{ createdAt: startOfTime, setAt: startOfTime, setBy: person, usedAt: undefined, usedFor: undefined },
    })
    const second = await store.putSecret(draft('b', { sealed: 'newer', now: startOfTime + 5, note: 'm' }))
    expect(second).toMatchObject({ version: 2, createdAt: startOfTime, setAt: startOfTime + 5, note: 'm' })
    await store.putSecret(draft('a'))
    expect((await store.secrets(project)).map(({ name }) => name)).toEqual(['a', 'b'])
    expect(await store.sealedSecret(project, 'b')).toEqual({
      ...{ project, name: 'b', version: 2, sealed: 'newer', kind: 'git-host' },
    })
    const stamp = await store.secretStamp(project)
    await store.deleteSecret({ project, name: 'b', now: startOfTime + 6 })
    expect(await codeOf(store.deleteSecret({ project, name: 'b', now: 0 }))).toBe('secret_not_found')
    expect(await store.sealedSecret(project, 'b')).toBeUndefined()
    const known = await store.knownSecrets(project)
    expect(known.stamp).toBeGreaterThan(stamp)
    expect(known.items.map(({ name, version }) => `${name}${version}`)).toEqual(['a1', 'b1', 'b2'])
    expect(await store.putSecret(draft('b'))).toMatchObject({ version: 3, createdAt: startOfTime })
  })

  it('has no secrets of other projects, of none, or of one that is gone', async () => {
    const { store, project } = bench()
    await store.putSecret(draft('a'))
    await bench().newProject(`${project}-other`)
    expect(await store.secrets(bench().project)).toEqual([])
    expect(await codeOf(store.putSecret(draft('a', { project: 'nowhere' })))).toBe('project_not_found')
    await store.beginDeletion(project, { by: person, now: startOfTime })
    await store.finishDeletion(project)
    expect(await store.knownSecrets(project)).toEqual({ stamp: 0, items: [] })
  })

  it('tells a runner the stamp of its project', async () => {
    const { store, project } = bench()
    await bench().liveSession({ tokenHash: 'runner-of-secrets' })
    expect(await store.runner('runner-of-secrets')).toMatchObject({ secrets: 0 })
    await store.putSecret(draft('a'))
    const secrets = await store.secretStamp(project)
    expect(await store.runner('runner-of-secrets')).toMatchObject({ secrets })
    expect(secrets).toBeGreaterThan(0)
  })

  it('bounds how many there are, their bytes, and former values', async () => {
    const { store, project } = bench()
    for (let i = 0; i < limits.formerSecrets + 5; i++) await store.putSecret(draft('a', { now: i }))
    expect((await store.knownSecrets(project)).items).toHaveLength(limits.formerSecrets + 1)
    expect(await codeOf(store.putSecret(draft('b', { bytes: limits.secretBytes })))).toBe('too_many_secrets')
    expect((await store.secrets(project)).map(({ name }) => name)).toEqual(['a'])
    for (let i = 1; i < limits.secrets; i++) await store.putSecret(draft(`c${i}`))
    expect(await codeOf(store.putSecret(draft('one-more')))).toBe('too_many_secrets')
    expect(await store.putSecret(draft('c1'))).toMatchObject({ version: 2 })
  })

  it('forgets former values in the end, and current ones never', async () => {
    const { store, project } = bench()
    await store.putSecret(draft('a'))
    await store.putSecret(draft('a', { now: startOfTime + 1 }))
    const now = startOfTime + limits.formerSecretDays * 86_400_000
    await store.expire({ now, before: 0 })
    expect((await store.knownSecrets(project)).items).toHaveLength(2)
    await store.expire({ now: now + 1, before: 0 })
    expect((await store.knownSecrets(project)).items.map(({ version }) => version)).toEqual([2])
  })

  it('notes a use once in a while', async () => {
    const { store, project } = bench()
    await store.putSecret(draft('a'))
    const use = (usedFor: string, now: number) =>
      store.secretUsed({ project, name: 'a', usedFor, now, since: now - 10 })
    const noted = [
      await use('git', 100),
      await use('git', 105),
      await use('git', 110),
      await use('other', 111),
    ]
    expect(noted).toEqual([true, false, true, true])
    expect((await store.secrets(project))[0]).toMatchObject({ usedAt: 111, usedFor: 'other' })
    expect(await store.secretUsed({ project, name: 'b', usedFor: 'x', now: 1, since: 0 })).toBe(false)
  })

  it('[P171] seals anew what nobody changed meanwhile, and counts what each key has', async () => {
    const { store, project } = bench()
    const keyId = `key-${newId('operation')}`
    for (const name of ['a', 'b', 'c']) await store.putSecret(draft(name, { keyId }))
    const items = await store.secretsSealedBy(keyId, 2)
    expect(items.map(({ name }) => name)).toEqual(['a', 'b'])
    await store.putSecret(draft('a', { keyId, sealed: 'changed' }))
    const [, b] = items
    const resealed = items.map((item) => ({ ...item, resealed: `again-${item.name}`, keyId: 'k9' }))
    expect(await store.resealSecrets([...resealed, { ...resealed[0], sealed: 'x' } as never])).toBe(2)
    expect(await store.sealedSecret(project, 'b')).toMatchObject({ ...b, sealed: 'again-b' })
    expect(await store.sealedSecret(project, 'a')).toMatchObject({ sealed: 'changed' })
    expect((await store.sealedBy()).get(keyId)).toBe(2)
  })
}

export const sealingKeyCases = (bench: () => Bench) => {
  it('notes keys once, and nothing of strangers where the store is shared', async () => {
    const { store } = bench()
    expect(await store.claimKeys({ checks: { a: '1' }, shared: true })).toEqual({})
    expect(await store.claimKeys({ checks: { b: '2' }, shared: true })).toEqual({ a: '1' })
    expect(await store.claimKeys({ checks: { a: 'other', c: '3' }, shared: true })).toEqual({ a: '1' })
    expect(await store.claimKeys({ checks: { d: '4' }, shared: false })).toEqual({ a: '1', c: '3' })
    expect(await store.claimKeys({ checks: {}, shared: false })).toEqual({ a: '1', c: '3', d: '4' })
  })
}
