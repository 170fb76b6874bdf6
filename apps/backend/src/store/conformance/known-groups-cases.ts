import { limits } from '@berth/contract'
import { expect, it } from 'vitest'
import { type Bench, startOfTime } from './harness.ts'

const ada = { kind: 'user', id: 'ada@example.com' } as const
const day = 86_400_000

export const knownGroupsCases = (bench: () => Bench) => {
  const note = (groups: string[], now = startOfTime) =>
    bench().store.noteGroups({ subject: ada, groups, now })
  const read = () => bench().store.groupsOf(ada)

  it('keeps the groups that were seen last, of each by itself', async () => {
    expect(await read()).toEqual([])
    await note(['team: web', '"ops"'])
    expect(await read()).toEqual(['team: web', '"ops"'])
    expect(await bench().store.groupsOf({ kind: 'service', id: ada.id })).toEqual([])
    await note(['ops'])
    expect(await read()).toEqual(['ops'])
    await note([])
    expect(await read()).toEqual([])
  })

  it('replaces them when the user signs in, or the issuer says something else, and keeps none of who sent nothing', async () => {
    const { store } = bench()
    const identity = { user: ada.id, groups: ['new'] }
    const times = { createdAt: startOfTime, usedAt: startOfTime, expiresAt: startOfTime + day }
    await store.createBrowserSession({
      hash: 'one',
      subject: 's',
      identity,
      ...times,
      refreshAt: startOfTime,
    })
    expect(await read()).toEqual([])
    await note(['old'])
    await store.createBrowserSession({ hash: 'two', subject: 's', identity, ...times })
    expect(await read()).toEqual(['new'])
    const news = { claimedUntil: startOfTime, sealed: '', refreshAt: startOfTime + 1 }
    const left = { ...news, identity: { user: ada.id, groups: [] } }
    expect(await store.refreshBrowserSession('one', { ...left, claimedUntil: 5 })).toBe(false)
    expect(await read()).toEqual(['new'])
    expect(await store.refreshBrowserSession('one', left)).toBe(true)
    expect(await read()).toEqual([])
  })

  it('forgets them when everything is taken from somebody, and when they were not seen for long', async () => {
    const { store } = bench()
    await note(['ops'])
    await store.revokeSubject({ subject: ada, keys: false, now: startOfTime })
    expect(await read()).toEqual([])
    await note(['ops'])
    const later = startOfTime + 2 * day
    await note(['ops'], later)
    const last = later + limits.knownGroupDays * day
    await store.expire({ now: last - 1, before: 0 })
    expect(await read()).toEqual(['ops'])
    await store.expire({ now: last, before: 0 })
    expect(await read()).toEqual([])
  })
}
