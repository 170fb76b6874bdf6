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

  it('[P179] seals tokens anew that nobody changed meanwhile, counts them by key, and ends those whose key is gone', async () => {
    const { store } = bench()
    await store.endBrowsersSealedOtherwise([])
    for (const hash of ['one', 'two', 'three'])
      await store.createBrowserSession(row(hash, { sealed: `b1.a_.${hash}` }))
    await store.createBrowserSession(row('other', { sealed: 'b1.ab.x' }))
    await store.createBrowserSession(row('none'))
    expect(await store.browsersSealedBy('b1.a_.')).toBe(3)
    const items = await store.sealedBrowsers('b1.a_.', 2)
    expect(items).toEqual([
      { hash: 'one', sealed: 'b1.a_.one' },
      { hash: 'three', sealed: 'b1.a_.three' },
    ])
    const resealed = items.map((item) => ({ ...item, resealed: `b1.c.${item.hash}` }))
    expect(await store.resealBrowsers([...resealed, { hash: 'two', sealed: 'before', resealed: 'x' }])).toBe(
      2,
    )
    expect(await read('one')).toMatchObject({ sealed: 'b1.c.one' })
    expect([await store.browsersSealedBy('b1.a_.'), await store.browsersSealedBy('b1.c.')]).toEqual([1, 2])
    expect(await store.endBrowsersSealedOtherwise(['b1.c.', 'b1.ab.'])).toBe(1)
    expect(await read('two')).toBeUndefined()
    for (const hash of ['one', 'three', 'other', 'none']) expect(await read(hash)).toBeDefined()
    expect(await store.endBrowsersSealedOtherwise(['b1.c.', 'b1.ab.'])).toBe(0)
  })

  it('[P179] ends browsers whose key is gone however many there are, in pages', async () => {
    const { store } = bench()
    const before = await store.browsersSealedBy('')
    const hashes = Array.from({ length: 500 }, (_, index) => `many-${String(index).padStart(3, '0')}`)
    for (const [index, hash] of hashes.entries())
      await store.createBrowserSession(
        row(hash, { sealed: `b1.${index % 5 === 0 ? 'kept' : 'lost'}.${hash}` }),
      )
    expect(await store.endBrowsersSealedOtherwise(['b1.kept.'])).toBe(400 + before)
    expect([await store.browsersSealedBy('b1.kept.'), await store.browsersSealedBy('b1.lost.')]).toEqual([
      100, 0,
    ])
    for (const hash of hashes) await store.removeBrowserSession(hash)
  })

  it('ends what the issuer has ended: a session there, or all of an account, and once for each word of it', async () => {
    const { store } = bench()
    const ofAda = { subject: 'ada' }
    await store.createBrowserSession(row('one', { ...ofAda, sid: 's1' }))
    await store.createBrowserSession(row('two', { ...ofAda, sid: 's2' }))
    await store.createBrowserSession(row('three', ofAda))
    await store.createBrowserSession(row('four', { ...ofAda, sid: 's3' }))
    await store.createBrowserSession(row('other', { sid: 's4' }))
    expect(await read('two')).toMatchObject({ sid: 's2' })
    const token = (hash: string) => ({ hash, until: startOfTime + 60 })
    const left = async () => {
      const rows = await Promise.all(['one', 'two', 'three', 'four', 'other'].map((hash) => read(hash)))
      return rows.flatMap((found) => found?.hash ?? [])
    }
    expect(await store.endBrowserSessions({ sid: 's2', token: token('a') })).toBe(1)
    expect(await left()).toEqual(['one', 'three', 'four', 'other'])
    // Of the one without a session at the issuer nobody can say that it goes on.
    expect(await store.endBrowserSessions({ sid: 's1', subject: 'ada', token: token('b') })).toBe(2)
    expect(await left()).toEqual(['four', 'other'])
    await expect(store.endBrowserSessions({ subject: 'ada', token: token('b') })).rejects.toMatchObject({
      code: 'invalid_input',
    })
    expect(await left()).toEqual(['four', 'other'])
    const again = Array.from({ length: 5 }, () =>
      store.endBrowserSessions({ subject: 'ada', token: token('c') }).catch(() => 'told before'),
    )
    const outcomes = await Promise.all(again)
    expect(outcomes.filter((outcome) => outcome !== 'told before')).toEqual([1])
    expect(await left()).toEqual(['other'])
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
