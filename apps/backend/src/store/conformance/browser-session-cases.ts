import { expect, it } from 'vitest'
import type { BrowserSessionRow } from '../browser-session-store.ts'
import { type Bench, startOfTime } from './harness.ts'

const row = (hash: string, more: Partial<BrowserSessionRow> = {}): BrowserSessionRow => ({
  hash,
  subject: `sub-${hash}`,
  identity: { user: `${hash}@example.com`, name: 'Ada', groups: ['a', 'b'] },
  createdAt: startOfTime,
  usedAt: startOfTime,
  expiresAt: startOfTime + 1000,
  ...more,
})

export const browserSessionCases = (bench: () => Bench) => {
  const read = (hash: string, now = startOfTime, idleSince = 0) =>
    bench().store.browserSession(hash, { now, idleSince })

  it('keeps a browser until it ends, or has been idle', async () => {
    const { store } = bench()
    await store.createBrowserSession(row('one'))
    expect(await read('one', startOfTime + 999)).toEqual(row('one'))
    expect(await read('one', startOfTime + 1000)).toBeUndefined()
    expect(await read('two')).toBeUndefined()
    expect(await read('one', startOfTime, startOfTime)).toBeUndefined()
    await store.touchBrowserSession('one', startOfTime + 10)
    await store.touchBrowserSession('one', startOfTime + 5)
    await store.touchBrowserSession('none', startOfTime)
    expect(await read('one', startOfTime, startOfTime)).toMatchObject({ usedAt: startOfTime + 10 })
  })

  it('gives a browser that is due to one of many who ask, and takes news from that one only', async () => {
    const { store } = bench()
    const due = row('one', { refreshAt: startOfTime, sealed: 'first' })
    await store.createBrowserSession(due)
    await store.createBrowserSession(row('two', { refreshAt: startOfTime + 1 }))
    await store.createBrowserSession(row('three'))
    const until = startOfTime + 60
    const claim = (now: number, next: number) => store.claimBrowserSessions({ now, until: next, limit: 10 })
    const claims = await Promise.all(Array.from({ length: 8 }, () => claim(startOfTime, until)))
    expect(claims.flat()).toEqual([{ ...due, refreshAt: until }])
    const identity = { user: 'new@example.com', groups: [] }
    const news = { identity, sealed: 'second', refreshAt: startOfTime + 500 }
    expect(await store.refreshBrowserSession('one', { ...news, claimedUntil: startOfTime })).toBe(false)
    expect(await store.refreshBrowserSession('one', { ...news, claimedUntil: until })).toBe(true)
    expect(await read('one')).toEqual({ ...due, ...news })
    expect((await claim(startOfTime + 60, startOfTime + 90)).map(({ hash }) => hash)).toEqual(['two'])
  })

  it('removes one, all of a user, and those whose time is over', async () => {
    const { store } = bench()
    const ada = { user: 'ada@example.com', groups: [] }
    for (const hash of ['one', 'two', 'three'])
      await store.createBrowserSession(row(hash, { identity: ada, expiresAt: startOfTime + 9 }))
    await store.createBrowserSession(row('other'))
    expect(await store.removeBrowserSession('one')).toMatchObject({ hash: 'one', identity: ada })
    expect(await store.removeBrowserSession('one')).toBeUndefined()
    const subject = { kind: 'user', id: 'ada@example.com' } as const
    const revocation = { subject, keys: false, now: startOfTime }
    expect(await store.revokeSubject(revocation)).toMatchObject({ sessions: 2 })
    expect(await store.revokeSubject(revocation)).toMatchObject({ sessions: 0 })
    await store.createBrowserSession(row('two', { expiresAt: startOfTime + 9 }))
    await store.expire({ now: startOfTime + 9, before: 0 })
    expect(await read('two', 0)).toBeUndefined()
    expect(await read('other')).toEqual(row('other'))
  })
}
