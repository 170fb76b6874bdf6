import { expect, it } from 'vitest'
import {
  type Bench,
  codeOf,
  end,
  launch,
  newId,
  promptCommand,
  remove,
  startOfTime,
  stop,
} from './harness.ts'

export const runnerCases = (bench: () => Bench) => {
  const token = (name: string) => `${bench().project} ${name}`

  it('knows a runner by its token, and whether its generation is the current one', async () => {
    const session = await bench().liveSession({ tokenHash: token('one') })
    const identity = { session, project: bench().project, generation: 1 }
    expect(await bench().store.runner(token('one'))).toEqual({ ...identity, current: true, secrets: 0 })
    await bench().append(session, end(1))
    expect(await bench().store.runner(token('one'))).toEqual({ ...identity, current: false, secrets: 0 })
    await bench().append(session, launch, { tokenHash: token('two') })
    expect(await bench().store.runner(token('one'))).toMatchObject({ current: false })
    expect(await bench().store.runner(token('two'))).toEqual({
      ...identity,
      generation: 2,
      current: true,
      secrets: 0,
    })
    expect(await bench().store.runner(token('three'))).toBeUndefined()
  })

  it('keeps the token of the generation when a launch changes nothing', async () => {
    const session = await bench().liveSession({ tokenHash: token('one') })
    await bench().append(session, launch, { tokenHash: token('two') })
    expect(await bench().store.runner(token('one'))).toMatchObject({ current: true })
    expect(await bench().store.runner(token('two'))).toBeUndefined()
  })

  it('replaces the token of the current generation only', async () => {
    const session = await bench().liveSession({ tokenHash: token('one') })
    await bench().store.setRunnerToken(session, 1, token('again'))
    expect(await bench().store.runner(token('one'))).toBeUndefined()
    expect(await bench().store.runner(token('again'))).toMatchObject({ generation: 1, current: true })
    await bench().append(session, end(1))
    expect(await codeOf(bench().store.setRunnerToken(session, 1, token('late')))).toBe('fenced')
    expect(await codeOf(bench().store.setRunnerToken(newId('session'), 1, token('x')))).toBe(
      'session_not_found',
    )
  })

  it('keeps the last heartbeat of the current generation', async () => {
    const session = await bench().session()
    expect(await bench().store.generation(session)).toBeUndefined()
    await bench().append(session, launch)
    const row = { generation: 1, startedAt: startOfTime }
    expect(await bench().store.generation(session)).toEqual({ ...row, heartbeatAt: undefined })
    await bench().store.heartbeat(session, 1, { now: startOfTime + 20 })
    await bench().store.heartbeat(session, 1, { now: startOfTime + 10 })
    expect(await bench().store.generation(session)).toEqual({ ...row, heartbeatAt: startOfTime + 20 })
    expect(await codeOf(bench().store.heartbeat(session, 2, { now: startOfTime }))).toBe('fenced')
    await bench().append(session, end(1))
    expect(await codeOf(bench().store.heartbeat(session, 1, { now: startOfTime }))).toBe('fenced')
    expect(await codeOf(bench().store.heartbeat(newId('session'), 1, { now: startOfTime }))).toBe(
      'session_not_found',
    )
  })
}

/** Sessions that need a look of the reconciler, by how long they have been waiting. */
export const attentionCases = (bench: () => Bench) => {
  const attention = (now = startOfTime, silentBefore = 0, limit = 10) =>
    bench().store.attention({ now, silentBefore, limit })

  it('names pending sessions, at once or when their back-off is over', async () => {
    const session = await bench().session()
    expect(await attention(startOfTime - 1)).toEqual([])
    expect(await attention()).toEqual([session])
    await bench().append(session, launch)
    expect(await attention()).toEqual([])
    await bench().append(session, end(1, startOfTime + 500))
    expect(await attention(startOfTime + 499)).toEqual([])
    expect(await attention(startOfTime + 500)).toEqual([session])
  })

  it('names live sessions that should stop, and leaves stopped ones alone', async () => {
    const session = await bench().liveSession()
    expect(await attention()).toEqual([])
    await bench().append(session, stop)
    expect(await attention()).toEqual([session])
    await bench().append(session, promptCommand())
    expect(await attention()).toEqual([session])
    await bench().append(session, stop)
    await bench().append(session, end(1))
    expect(await attention()).toEqual([])
  })

  it('names sessions whose runner is silent', async () => {
    const session = await bench().liveSession()
    expect(await attention(startOfTime, startOfTime)).toEqual([])
    expect(await attention(startOfTime, startOfTime + 1)).toEqual([session])
    await bench().store.heartbeat(session, 1, { now: startOfTime + 10 })
    expect(await attention(startOfTime, startOfTime + 10)).toEqual([])
    expect(await attention(startOfTime, startOfTime + 11)).toEqual([session])
  })

  it('names failed sessions while their runner lives, also when they are resumed', async () => {
    const session = await bench().liveSession()
    const fail = { kind: 'fail', actor: { kind: 'backend', id: 'b' }, reason: 'agent', message: 'x' } as const
    await bench().append(session, fail)
    expect(await attention()).toEqual([session])
    await bench().append(session, { kind: 'resume', actor: { kind: 'user', id: 'ada' } })
    expect(await attention()).toEqual([session])
    await bench().append(session, fail)
    await bench().append(session, end(1))
    expect(await attention()).toEqual([])
  })

  it('names deleted sessions that still run, and those whose time has come', async () => {
    const session = await bench().liveSession()
    await bench().append(session, remove(startOfTime + 100))
    expect(await attention()).toEqual([session])
    await bench().append(session, end(1))
    expect(await attention(startOfTime + 99)).toEqual([])
    expect(await attention(startOfTime + 100)).toEqual([session])
    await bench().append(session, { kind: 'restore', actor: { kind: 'user', id: 'ada' } })
    expect(await attention(startOfTime + 100)).toEqual([])
  })

  it('names those first that waited longest, and each once', async () => {
    const [second, first, third] = await Promise.all([
      bench().session({ now: startOfTime + 20 }),
      bench().session({ now: startOfTime + 10 }),
      bench().liveSession({ now: startOfTime + 25 }),
    ])
    const now = startOfTime + 100
    expect(await attention(now, now - 70)).toEqual([first, second, third])
    expect(await attention(now, now - 70, 2)).toEqual([first, second])
    await bench().append(third, stop)
    expect((await attention(now, now - 70)).sort()).toEqual([first, second, third].sort())
  })
}

/** Who has room for a runner and who wants some, over all projects. */
export const occupancyCases = (bench: () => Bench) => {
  const sessions = async () => {
    const { live, waiting } = await bench().store.occupancy()
    return { live: live.map(({ session }) => session), waiting: waiting.map(({ session }) => session) }
  }

  it('tells sessions that wait with project, owner and time, and those that live with their memory', async () => {
    const waits = await bench().session({ owner: 'bob', now: startOfTime + 5 })
    const lives = await bench().liveSession()
    const { project } = bench()
    expect(await bench().store.occupancy()).toEqual({
      live: [
        {
          session: lives,
          project,
          owner: 'ada',
          memoryBytes: undefined,
          memoryMiB: undefined,
          milliCpus: undefined,
        },
      ],
      waiting: [
        {
          session: waits,
          project,
          owner: 'bob',
          since: startOfTime + 5,
          memoryMiB: undefined,
          milliCpus: undefined,
        },
      ],
    })
    await bench().store.heartbeat(lives, 1, { now: startOfTime, memoryBytes: 1000 })
    await bench().store.heartbeat(lives, 1, { now: startOfTime + 1 })
    expect((await bench().store.occupancy()).live).toMatchObject([{ memoryBytes: 1000 }])
  })

  it('keeps the place of a session whose runner was lost, and forgets what that one used', async () => {
    const session = await bench().liveSession()
    await bench().store.heartbeat(session, 1, { now: startOfTime, memoryBytes: 1000 })
    await bench().append(session, end(1, startOfTime + 500))
    expect((await bench().store.occupancy()).live).toMatchObject([{ session, memoryBytes: undefined }])
    await bench().append(session, launch)
    expect((await bench().store.occupancy()).live).toMatchObject([{ session, memoryBytes: undefined }])
  })

  it('still counts one that stops, and no longer one that is stopped, failed, deleted or lost too often', async () => {
    const stopping = await bench().liveSession()
    const failed = await bench().session()
    const deleted = await bench().session()
    const looping = await bench().session()
    await bench().append(stopping, stop)
    const fail = { kind: 'fail', actor: { kind: 'backend', id: 'b' }, reason: 'agent', message: 'x' } as const
    await bench().append(failed, fail)
    await bench().append(deleted, remove())
    for (let generation = 1; generation <= 5; generation++) {
      await bench().append(looping, launch)
      await bench().append(looping, end(generation))
    }
    expect(await sessions()).toEqual({ live: [stopping], waiting: [] })
    await bench().append(stopping, end(1))
    expect(await sessions()).toEqual({ live: [], waiting: [] })
  })

  it('tells the memory and CPU that a session was started with, also while its place is kept', async () => {
    const session = await bench().session()
    await bench().append(session, {
      kind: 'launch',
      actor: { kind: 'backend', id: 'b' },
      runtime: 'fake',
      memoryMiB: 2000,
      cpus: 1.1,
    } as const)
    expect((await bench().store.occupancy()).live).toMatchObject([
      { session, memoryMiB: 2000, milliCpus: 1100 },
    ])
    await bench().append(session, end(1, startOfTime + 500))
    expect((await bench().store.occupancy()).live).toMatchObject([
      { session, memoryMiB: 2000, milliCpus: 1100 },
    ])
  })

  it('keeps the time since which a session waits when it is told that there is no room', async () => {
    const session = await bench().session({ now: startOfTime + 5 })
    const wait = { reason: 'sessions', message: 'No room.', position: 1 } as const
    const command = { kind: 'wait', actor: { kind: 'backend', id: 'b' }, ...wait } as const
    await bench().append(session, command, { now: startOfTime + 50 })
    expect((await bench().store.occupancy()).waiting).toMatchObject([{ session, since: startOfTime + 5 }])
    const everything = { now: startOfTime + 1e9, silentBefore: 0, limit: 10 }
    expect(await bench().store.attention(everything)).toEqual([])
  })
}
