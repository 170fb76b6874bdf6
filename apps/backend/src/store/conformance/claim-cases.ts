import { expect, it } from 'vitest'
import { type Bench, person } from './harness.ts'

/** Longer than any test. */
const long = 600_000

export const claimCases = (bench: () => Bench) => {
  it('gives a lease to one holder until it runs out by the store’s own time, however often it is renewed', async () => {
    const lease = (holder: string, ttlMs: number) => bench().store.lease(bench().project, holder, ttlMs)
    expect(await lease('a', long)).toBe(true)
    expect(await lease('b', long)).toBe(false)
    expect(await lease('a', long)).toBe(true)
    await bench().store.expire({ now: 0, before: 0 })
    expect(await lease('b', long)).toBe(false)
    expect(await lease('a', 20)).toBe(true)
    while (!(await lease('b', long)));
    expect(await lease('a', long)).toBe(false)
  })

  it('gives a lease to one of many who ask at once', async () => {
    const asked = Array.from({ length: 20 }, (_, index) =>
      bench().store.lease(bench().project, `${index}`, long),
    )
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1)
  })

  it('releases only what the holder holds', async () => {
    const { store } = bench()
    await store.lease(bench().project, 'a', long)
    await store.release(bench().project, 'b')
    expect(await store.lease(bench().project, 'b', long)).toBe(false)
    await store.release(bench().project, 'a')
    expect(await store.lease(bench().project, 'b', long)).toBe(true)
    expect(await store.lease('another', 'a', long)).toBe(true)
  })

  it('keeps grants by kind and hash until they expire', async () => {
    const { store } = bench()
    const grant = { kind: 'browser', hash: 'h', principal: person, expiresAt: 100 } as const
    await store.putGrant(grant)
    expect(await store.grant('browser', 'h', 99)).toEqual(grant)
    expect(await store.grant('ticket', 'h', 99)).toBeUndefined()
    expect(await store.grant('browser', 'h', 100)).toBeUndefined()
    await store.putGrant({ ...grant, expiresAt: 300 })
    await store.expire({ now: 299, before: 0 })
    expect(await store.grant('browser', 'h', 299)).toMatchObject({ expiresAt: 300 })
    await store.expire({ now: 300, before: 0 })
    expect(await store.grant('browser', 'h', 0)).toBeUndefined()
  })

  it('lets one of many take a grant, and removes it when asked', async () => {
    const { store } = bench()
    const grant = { kind: 'ticket', hash: 'h', principal: person, expiresAt: 100 } as const
    await store.putGrant(grant)
    const taken = await Promise.all(Array.from({ length: 10 }, () => store.takeGrant('ticket', 'h', 1)))
    expect(taken.filter((item) => item !== undefined)).toEqual([grant])
    await store.putGrant(grant)
    expect(await store.takeGrant('ticket', 'h', 100)).toBeUndefined()
    await store.putGrant(grant)
    await store.removeGrant('ticket', 'h')
    await store.removeGrant('ticket', 'h')
    expect(await store.grant('ticket', 'h', 1)).toBeUndefined()
  })
}
