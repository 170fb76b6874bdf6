import { expect, it } from 'vitest'
import {
  type Bench,
  codeOf,
  createCommand,
  newId,
  promptCommand,
  remove,
  startOfTime,
  stop,
} from './harness.ts'

const day = 24 * 3600_000
export const idempotencyCases = (bench: () => Bench) => {
  const idempotency = (hash = 'h1') => ({ scope: `ada ${bench().project}`, key: 'k', hash })

  it('gives the outcome of then again', async () => {
    const session = await bench().session()
    await bench().append(session, promptCommand())
    const prompt = newId('prompt')
    const first = await bench().append(session, promptCommand(prompt), { idempotency: idempotency() })
    expect(first).toMatchObject({ replayed: false, position: 1, prompt })
    await bench().append(session, stop)
    const again = await bench().append(session, promptCommand(), { idempotency: idempotency() })
    expect(again).toMatchObject({
      replayed: true,
      lines: [],
      summary: first.summary,
      first: first.first,
      position: 1,
      prompt,
    })
    expect(again.state.summary.desired).toBe('stopped')
    expect(await bench().events(session)).toHaveLength(4)
  })

  it('tells what a key stands for', async () => {
    const session = await bench().session()
    const { store } = bench()
    expect(await store.outcome(idempotency(), startOfTime)).toBeUndefined()
    const { first } = await bench().append(session, promptCommand(), { idempotency: idempotency() })
    expect(await store.outcome(idempotency(), startOfTime)).toEqual({ session, first })
    expect(await codeOf(store.outcome(idempotency('h2'), startOfTime))).toBe('idempotency_mismatch')
    expect(await store.outcome({ ...idempotency(), scope: 'bob' }, startOfTime)).toBeUndefined()
    expect(await store.outcome(idempotency(), startOfTime + 2 * day)).toBeUndefined()
  })

  it('refuses another request under the same key, and keeps keys of other scopes apart', async () => {
    const session = await bench().session()
    await bench().append(session, promptCommand(), { idempotency: idempotency() })
    const other = bench().append(session, promptCommand(), { idempotency: idempotency('h2') })
    expect(await codeOf(other)).toBe('idempotency_mismatch')
    const scoped = { ...idempotency('h2'), scope: `bob ${bench().project}` }
    expect((await bench().append(session, promptCommand(), { idempotency: scoped })).replayed).toBe(false)
  })

  it('makes one of many that come at once', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, () => {
        const session = newId('session')
        return bench().append(session, createCommand(session, { project: bench().project }), {
          idempotency: idempotency(),
        })
      }),
    )
    expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(new Set(results.map(({ state }) => state.summary.id)).size).toBe(1)
    expect((await bench().store.list(bench().project, { deleted: false }, { limit: 50 })).items).toHaveLength(
      1,
    )
  })

  it('remembers nothing of what was refused', async () => {
    const session = await bench().session()
    const interrupt = { kind: 'interrupt', actor: { kind: 'user', id: 'ada' } } as const
    const refused = bench().append(session, interrupt, { idempotency: idempotency() })
    expect(await codeOf(refused)).toBe('no_turn')
    expect(await bench().append(session, stop, { idempotency: idempotency('h2') })).toMatchObject({
      replayed: false,
    })
  })

  it('survives a reopen, and ends after 24 hours', async () => {
    const session = await bench().session()
    await bench().append(session, promptCommand(), { idempotency: idempotency() })
    await bench().reopen()
    const within = { idempotency: idempotency(), now: startOfTime + day - 1 }
    expect((await bench().append(session, promptCommand(), within)).replayed).toBe(true)
    const after = { idempotency: idempotency('h2'), now: startOfTime + day }
    expect((await bench().append(session, promptCommand(), after)).replayed).toBe(false)
    await bench().store.expire({ now: startOfTime + 3 * day, before: 0 })
    expect((await bench().append(session, promptCommand(), after)).replayed).toBe(false)
  })

  it('does not make a purged session again', async () => {
    const session = newId('session')
    await bench().append(session, createCommand(session, { project: bench().project }), {
      idempotency: idempotency(),
    })
    await bench().append(session, remove())
    await bench().store.purge(session, startOfTime)
    const again = newId('session')
    const replay = bench().append(again, createCommand(again, { project: bench().project }), {
      idempotency: idempotency(),
    })
    expect(await codeOf(replay)).toBe('session_not_found')
  })
}
