import { expect, it } from 'vitest'
import {
  type Bench,
  blockFacts,
  codeOf,
  newId,
  promptCommand,
  remove,
  startOfTime,
  summaryOf,
} from './harness.ts'

export const changeCases = (bench: () => Bench) => {
  const changes = (after: number, limit = 100) => bench().store.changes(bench().project, { after, limit })

  it('tells each session that changed after a revision, oldest change first, as it is now', async () => {
    const a = await bench().session()
    const b = await bench().session()
    const { revision } = await bench().append(a, promptCommand())
    const { items, reset } = await changes(0)
    expect(reset).toBe(false)
    expect(items.map((item) => 'summary' in item && summaryOf(item.summary).id)).toEqual([b, a])
    expect(items.at(-1)).toEqual({ revision, summary: await bench().store.summary(bench().project, a) })
    expect(await bench().store.revision(bench().project)).toBe(revision)
    expect((await changes(revision ?? 0)).items).toEqual([])
    expect((await changes(0, 1)).items).toHaveLength(1)
  })

  it('matches what those who watch are told', async () => {
    const told = bench().watch()
    const session = await bench().session()
    await bench().append(session, promptCommand())
    expect(told.map(({ change }) => change)).toEqual([
      { revision: 1, summary: expect.stringContaining('"seq":1') },
      { revision: 2, summary: await bench().store.summary(bench().project, session) },
    ])
    expect((await changes(1)).items).toEqual([told[1]?.change])
  })

  it('tells how far logs and lists have come', async () => {
    const session = await bench().session()
    const { state, revision = 0 } = await bench().append(session, promptCommand())
    const watched = { sessions: [session, newId('session')], projects: [bench().project, 'no-such-project'] }
    expect(await bench().store.heads(watched)).toEqual({
      sessions: new Map([[session, state.summary.seq]]),
      projects: new Map([[bench().project, revision]]),
    })
    const nothing = { sessions: new Map(), projects: new Map() }
    expect(await bench().store.heads({ sessions: [], projects: [] })).toEqual(nothing)
  })

  it('leaves a tombstone of a purged session, and nothing else', async () => {
    const session = await bench().liveSession({ tokenHash: 'token' })
    await bench().facts(session, 3, blockFacts(newId('block'), ['a', 'b'], 'completed'))
    const other = await bench().session()
    expect(await codeOf(bench().store.purge(session, startOfTime))).toBe('session_not_deleted')
    await bench().append(session, remove())
    const told = bench().watch()
    await bench().store.purge(session, startOfTime)
    const { items } = await changes(0)
    const revision = await bench().store.revision(bench().project)
    expect(items.at(-1)).toEqual({ revision, removed: session })
    expect(told).toMatchObject([
      { session, project: bench().project, change: { revision, removed: session } },
    ])
    expect(await bench().store.existing([session, other])).toEqual(new Set([other]))
    expect(await bench().events(session)).toEqual([])
    expect(await bench().store.state(session)).toBeUndefined()
    expect(await bench().store.runner('token')).toBeUndefined()
    expect((await bench().store.list(bench().project, { deleted: true }, { limit: 5 })).items).toEqual([])
    expect(await codeOf(bench().append(session, promptCommand()))).toBe('session_not_found')
    await bench().store.purge(session, startOfTime)
    expect(await bench().store.revision(bench().project)).toBe(revision)
    expect(await bench().events(other)).toHaveLength(1)
  })

  it('purges a large session while others append', async () => {
    const session = await bench().liveSession()
    const block = newId('block')
    const bodies = blockFacts(
      block,
      Array.from({ length: 9000 }, () => 'x'),
      'open',
    )
    await bench().facts(session, 3, bodies)
    await bench().append(session, { kind: 'stop', actor: { kind: 'user', id: 'ada' }, reason: 'user' })
    await bench().append(session, remove())
    let purged = false
    const purge = bench()
      .store.purge(session, startOfTime)
      .then(() => {
        purged = true
      })
    const other = await bench().session()
    const meanwhile: boolean[] = []
    while (!purged) {
      await bench()
        .append(other, promptCommand())
        .catch(() => undefined)
      meanwhile.push(purged)
    }
    await purge
    expect(meanwhile.length).toBeGreaterThan(1)
    expect(await bench().events(session)).toEqual([])
  })

  it('asks for a reset when the revision is older than what is kept, or was never given', async () => {
    const session = await bench().session()
    await bench().append(session, remove())
    const before = await bench().store.revision(bench().project)
    await bench().store.purge(session, startOfTime)
    const after = before + 1
    await bench().store.expire({ now: startOfTime, before: startOfTime })
    expect((await changes(before)).reset).toBe(false)
    await bench().store.expire({ now: startOfTime, before: startOfTime + 1 })
    expect(await changes(before)).toEqual({ items: [], reset: true })
    expect(await changes(after)).toEqual({ items: [], reset: false })
    expect(await changes(after + 1)).toEqual({ items: [], reset: true })
  })

  it('refuses projects that do not exist', async () => {
    expect(await codeOf(bench().store.revision('none'))).toBe('project_not_found')
    expect(await codeOf(bench().store.changes('none', { after: 0, limit: 1 }))).toBe('project_not_found')
  })
}
