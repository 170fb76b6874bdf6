import { expect, it } from 'vitest'
import { type Bench, blockFacts, newId, notice, promptCommand, remove } from './harness.ts'

export const readCases = (bench: () => Bench) => {
  it('reads events after a cursor, up to a number and about so many bytes, but always one', async () => {
    const session = await bench().liveSession()
    await bench().facts(
      session,
      3,
      Array.from({ length: 20 }, (_, index) => notice(`${index}`.repeat(100))),
    )
    const all = await bench().events(session)
    const read = (after: number, limit: number, maxBytes: number) =>
      bench().store.events(session, { after, limit, maxBytes })
    expect(await read(0, 5, 1e6)).toEqual(all.slice(0, 5))
    expect(await read(7, 5, 1e6)).toEqual(all.slice(7, 12))
    expect(await read(0, 1000, 1)).toEqual(all.slice(0, 1))
    const some = await read(4, 1000, 1500)
    expect(some.length).toBeGreaterThan(1)
    expect(some).toEqual(all.slice(4, 4 + some.length))
    expect(await read(all.length, 10, 1e6)).toEqual([])
    expect(await read(Number.MAX_SAFE_INTEGER, 10, 1e6)).toEqual([])
    expect(await bench().store.events(newId('session'), { after: 0, limit: 1, maxBytes: 1 })).toEqual([])
  })

  it('finds the last event of a type, and of a turn', async () => {
    const session = await bench().liveSession()
    const { state } = await bench().append(session, promptCommand())
    const turn = state.summary.turn?.turn ?? ''
    const ended = (message: string) =>
      ({ type: 'turn.ended', data: { turn, attempt: 1, result: 'success', message, durationMs: 1 } }) as const
    await bench().facts(session, 3, [...blockFacts(newId('block'), ['a', 'b'], 'completed'), ended('one')])
    await bench().append(session, promptCommand())
    const last = async (type: string, ofTurn?: string) => {
      const line = await bench().store.lastEvent(session, { type, turn: ofTurn })
      return line === undefined ? undefined : JSON.parse(line.json)
    }
    expect(await last('turn.started')).toMatchObject({ data: { attempt: 1 } })
    expect((await last('turn.started')).data.turn).not.toBe(turn)
    expect(await last('turn.started', turn)).toMatchObject({ data: { turn } })
    expect(await last('turn.ended', turn)).toMatchObject({ data: { message: 'one' } })
    expect(await last('session.created')).toMatchObject({ seq: 1 })
    expect(await last('turn.ended', newId('turn'))).toBeUndefined()
    expect(await last('workspace.snapshot')).toBeUndefined()
    expect(await bench().store.lastEvent(newId('session'), { type: 'session.created' })).toBeUndefined()
  })

  it('lists the events of a type, the last first, below a place', async () => {
    const session = await bench().liveSession()
    await bench().facts(
      session,
      3,
      Array.from({ length: 5 }, (_, index) => notice(`${index}`)),
    )
    const all = (await bench().events(session))
      .filter(({ json }) => json.includes('"runner.notice"'))
      .reverse()
    const list = (filter: { below?: number; limit: number }, type = 'runner.notice') =>
      bench().store.eventsOfType(session, { type, ...filter })
    expect(await list({ limit: 10 })).toEqual(all)
    expect(await list({ limit: 2 })).toEqual(all.slice(0, 2))
    expect(await list({ limit: 10, below: all[1]?.seq })).toEqual(all.slice(2))
    for (const below of [0, -1e300]) expect(await list({ limit: 10, below })).toEqual([])
    expect(await list({ limit: 10, below: 1e300 })).toEqual(all)
    expect(await list({ limit: 10 }, 'checkpoint.saved')).toEqual([])
    expect(await bench().store.eventsOfType(newId('session'), { type: 'runner.notice', limit: 1 })).toEqual(
      [],
    )
  })

  it('has nothing of a session that does not exist', async () => {
    const session = newId('session')
    expect(await bench().store.summary(bench().project, session)).toBeUndefined()
    expect(await bench().store.state(session)).toBeUndefined()
    expect(await bench().store.generation(session)).toBeUndefined()
    expect(await bench().store.runner('nothing')).toBeUndefined()
  })

  it('counts sessions by phase', async () => {
    const count = async () => (await bench().store.stats()).sessions
    const { pending = 0, idle = 0, deleted = 0 } = await count()
    await bench().session()
    await bench().liveSession()
    await bench().append(await bench().session(), remove())
    expect(await count()).toMatchObject({ pending: pending + 1, idle: idle + 1, deleted: deleted + 1 })
    expect((await bench().store.stats()).bytes).toBeGreaterThan(0)
    await bench().store.ping()
  })
}
