import { type Event, foldSession, parseEvent, type SessionState } from '@berth/contract'
import { SessionLog, sessionRolls } from '@berth/testing'
import fc from 'fast-check'
import { expect, it, onTestFinished, vi } from 'vitest'
import {
  type Bench,
  codeOf,
  createCommand,
  end,
  launch,
  newId,
  notice,
  promptCommand,
  started,
  startOfTime,
  status,
  stop,
  summaryOf,
} from './harness.ts'

export const appendCases = (bench: () => Bench) => {
  it('stores what decide says, ready to send', async () => {
    const session = newId('session')
    const result = await bench().append(session, createCommand(session, { project: bench().project }))
    expect(result).toMatchObject({ first: 1, position: 0, replayed: false, revision: 1 })
    expect(await bench().events(session)).toEqual(result.lines)
    expect(await bench().store.summary(bench().project, session)).toBe(result.summary)
    expect(await bench().store.state(session)).toEqual(JSON.parse(JSON.stringify(result.state)))
    expect(JSON.parse(result.summary)).toEqual(JSON.parse(JSON.stringify(result.state.summary)))
    expect(JSON.parse(result.lines[0]?.json ?? '')).toMatchObject({ seq: 1, type: 'session.created' })
  })

  it('numbers events without a gap when many append at once, in the order of commit', async () => {
    const sessions = await Promise.all(Array.from({ length: 5 }, () => bench().liveSession()))
    const told = bench().watch()
    const resolved: { session: string; first: number }[] = []
    const appends = Array.from({ length: 200 }, async (_, index) => {
      const session = sessions[index % 5] ?? ''
      const command =
        index % 3 === 0
          ? promptCommand()
          : bench()
              .append(session, titleOf(index))
              .then(() => stop)
      const { first, lines } = await bench().append(session, await command)
      if (lines.length > 0) resolved.push({ session, first })
    })
    await Promise.allSettled(appends)
    for (const session of sessions) {
      const seqs = (await bench().events(session)).map(({ seq }) => seq)
      expect(seqs).toEqual(seqs.map((_, index) => index + 1))
      const order = resolved.filter((item) => item.session === session).map(({ first }) => first)
      expect(order).toEqual([...order].sort((a, b) => a - b))
      const lines = told.filter((item) => item.session === session).flatMap((item) => item.lines ?? [])
      expect(lines.map(({ seq }) => seq)).toEqual(seqs.slice(-lines.length))
    }
    const revisions = told.flatMap(({ change }) => (change === undefined ? [] : [change.revision]))
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
    expect(new Set(revisions).size).toBe(revisions.length)
  })

  it('decides each command of a group on what those before it left', async () => {
    const session = await bench().session()
    const launches = await Promise.all(Array.from({ length: 5 }, () => bench().append(session, launch)))
    expect(launches.filter(({ lines }) => lines.length > 0)).toHaveLength(1)
    expect(launches.map(({ state }) => state.summary.generation)).toEqual([1, 1, 1, 1, 1])
  })

  it('lets a refused command change nothing, for itself or its neighbours', async () => {
    const session = await bench().session()
    const other = newId('session')
    const results = await Promise.allSettled([
      bench().append(session, promptCommand()),
      bench().append(session, { kind: 'interrupt', actor: { kind: 'user', id: 'ada' } }),
      bench().append(newId('session'), promptCommand()),
      bench().append(other, createCommand(other, { project: 'missing' })),
      bench().append(session, promptCommand()),
    ])
    expect(results.map((result) => (result.status === 'rejected' ? result.reason.code : 'done'))).toEqual([
      ...['done', 'no_turn', 'session_not_found', 'project_not_found', 'done'],
    ])
    expect((await bench().events(session)).map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(await bench().store.existing([session, other])).toEqual(new Set([session]))
    expect((await bench().store.changes(bench().project, { after: 0, limit: 10 })).items).toHaveLength(1)
  })

  it('hides a session from other projects', async () => {
    const session = await bench().session()
    const answer = bench().append(session, promptCommand(), { project: 'q' })
    expect(await codeOf(answer)).toBe('session_not_found')
    expect((await bench().append(session, promptCommand(), { project: bench().project })).first).toBe(2)
    expect(await bench().store.summary('q', session)).toBeUndefined()
  })

  it('appends nothing when the command changes nothing', async () => {
    const session = await bench().session()
    await bench().append(session, stop)
    const before = await bench().store.summary(bench().project, session)
    const told = bench().watch()
    const again = await bench().append(session, stop)
    expect(again).toMatchObject({ lines: [], replayed: false, summary: before })
    expect(again.revision).toBeUndefined()
    expect(told).toEqual([])
  })

  it('takes a revision only when lists show something new', async () => {
    const session = await bench().liveSession()
    const before = await bench().store.revision(bench().project)
    const silent = await bench().facts(session, 3, [notice('one'), notice('two')])
    expect(silent.revision).toBeUndefined()
    expect(summaryOf(await bench().store.summary(bench().project, session)).seq).toBe(
      silent.state.summary.seq,
    )
    const shown = await bench().append(session, promptCommand())
    expect(shown.revision).toBe(before + 1)
    expect(await bench().facts(session, 5, [status('Reading')])).toMatchObject({ revision: before + 2 })
    expect(await bench().store.revision(bench().project)).toBe(before + 2)
  })

  it('tells those who watch before the append resolves, until they stop watching', async () => {
    const session = await bench().session()
    const told: number[] = []
    const stopWatching = bench().store.watch(({ seq }) => told.push(seq))
    const { lines } = await bench().append(session, promptCommand())
    expect(told).toEqual([lines.at(-1)?.seq])
    stopWatching()
    await bench().append(session, promptCommand())
    expect(told).toHaveLength(1)
  })

  it('goes on when someone who watches throws', async () => {
    const warnings: string[] = []
    const note = ({ message }: Error) => warnings.push(message)
    process.on('warning', note)
    onTestFinished(() => void process.off('warning', note))
    bench().watch(() => {
      throw new Error('a listener is broken')
    })
    const told = bench().watch()
    await bench().session()
    expect(told).toHaveLength(1)
    await vi.waitUntil(() => warnings.includes('a listener is broken'), 20_000)
  })

  it('stores facts once, refuses gaps and fences generations', async () => {
    const session = await bench().liveSession()
    const again = await bench().facts(session, 1, [started, status('a'), status('b')])
    expect(again.lines).toHaveLength(1)
    expect(await codeOf(bench().facts(session, 5, [status('c')]))).toBe('fact_gap')
    await bench().append(session, end(1))
    expect(await codeOf(bench().facts(session, 4, [status('c')]))).toBe('fenced')
    await bench().append(session, launch)
    expect(await codeOf(bench().facts(session, 4, [status('c')]))).toBe('fenced')
  })

  it('takes over what the generation before left, once', async () => {
    const session = await bench().liveSession()
    await bench().append(session, end(1))
    await bench().append(session, launch)
    const leftover = [status('late'), notice('later')].map((body, index) => ({
      ...body,
      n: 3 + index,
      at: new Date(startOfTime).toISOString(),
    }))
    const command = {
      kind: 'facts',
      actor: { kind: 'runner', id: 'runner' },
      generation: 2,
      source: 1,
      facts: leftover,
    } as const
    expect((await bench().append(session, command)).lines).toHaveLength(2)
    expect((await bench().append(session, command)).lines).toHaveLength(0)
    const lines = (await bench().events(session)).slice(-2).map(({ json }) => JSON.parse(json))
    expect(lines).toMatchObject([
      { generation: 1, n: 3 },
      { generation: 1, n: 4 },
    ])
  })

  it('keeps state and summary equal to the fold of the events, whatever happens', async () => {
    const states = new Map<string, SessionState>()
    let seed = 0
    await fc.assert(
      fc.asyncProperty(sessionRolls(60), async (rolls) => {
        const log = new SessionLog({ project: bench().project, seed: ++seed, now: startOfTime })
        let state: SessionState | undefined
        for (const roll of rolls) {
          const step = { session: log.session, ...log.next(state, roll) }
          state = await bench()
            .store.append(step)
            .then((result) => result.state)
            .catch(() => state)
        }
        if (state === undefined) return
        let folded: SessionState | undefined
        for (const { json } of await bench().events(log.session))
          folded = foldSession(folded, parseEvent(JSON.parse(json)) as Event)
        expect(folded).toEqual(state)
        expect(await bench().store.state(log.session)).toEqual(state)
        const { generation } = state.summary
        expect((await bench().store.generation(log.session))?.generation ?? 0).toBe(generation)
        states.set(log.session, state)
      }),
      { numRuns: 25 },
    )
    await bench().reopen()
    for (const [session, state] of states) expect(await bench().store.state(session)).toEqual(state)
  })
}

const titleOf = (index: number) =>
  ({ kind: 'update', actor: { kind: 'user', id: 'ada' }, title: `${index}`, expectedVersion: 1 }) as const
