import { join } from 'node:path'
import { createManualClock, type ManualClock } from '@berth/testing'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import type { Store } from '../store/port.ts'
import { createSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { withBackend } from '../test-backend.ts'
import { type Lease, Leases } from './lease.ts'
import { ReconcileLoop } from './loop.ts'
import type { Outcome } from './reconcile.ts'

const log = pino({ level: 'silent' })

/** Leases of two backends over one store, whose time the test moves. */
const withLeases = (
  test: (parts: { a: Leases; b: Leases; store: Store; clock: ManualClock }) => Promise<void>,
) => {
  const clock = createManualClock(Date.now())
  return withBackend(async ({ directory }) => {
    const store = await createSqliteStore({ file: join(directory, 'leases', 'berth.db'), now: clock.now })
    const [a, b] = ['a', 'b'].map((holder) => new Leases({ store, clock, log, holder })) as [Leases, Leases]
    await test({ a, b, store, clock })
    await store.close()
  })
}

describe('a lease', () => {
  it('is held by one, for as long as the work takes, and by the next one then', () =>
    withLeases(async ({ a, b, store, clock }) => {
      const gate = Promise.withResolvers<string>()
      const begun = Promise.withResolvers<Lease>()
      const first = a.run('x', (lease) => {
        begun.resolve(lease)
        return gate.promise
      })
      const lease = await begun.promise
      for (let second = 0; second < 60; second++) {
        await clock.advance(1000)
        await store.ping()
        expect(await b.run('x', async () => 'never')).toBeUndefined()
        lease.check()
      }
      expect([a.held, b.held]).toEqual([1, 0])
      gate.resolve('done')
      expect(await first).toBe('done')
      expect(clock.pending()).toBe(0)
      expect(a.held).toBe(0)
      expect(await b.run('x', async () => 'then')).toBe('then')
    }))

  it('is given back when the work fails', () =>
    withLeases(async ({ a, b }) => {
      await expect(a.run('x', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
      expect(await b.run('x', async () => 1)).toBe(1)
    }))

  it('runs out when its holder can’t renew it, and its holder knows', () =>
    withLeases(async ({ store, clock, b }) => {
      let away = false
      const lease: Store['lease'] = (name, holder, ttlMs) =>
        away ? Promise.reject(new Error('away')) : store.lease(name, holder, ttlMs)
      const release: Store['release'] = (name, holder) => store.release(name, holder)
      const a = new Leases({ store: { lease, release }, clock, log, holder: 'a' })
      await a.run('x', async (held) => {
        await clock.advance(4000)
        await store.ping()
        away = true
        held.check()
        await clock.advance(9000)
        expect(await b.run('x', async () => 'too early')).toBeUndefined()
        await clock.advance(3000)
        expect(() => held.check()).toThrow('ran out')
        expect(await b.run('x', async () => 'taken over')).toBe('taken over')
      })
    }))

  it('is kept for work that comes again, until it is given back or its holder is gone', () =>
    withLeases(async ({ a, b, clock }) => {
      expect([await a.keep('x', 10_000), await b.keep('x', 10_000)]).toEqual([true, false])
      await clock.advance(6000)
      expect([await a.keep('x', 10_000), await b.keep('x', 10_000)]).toEqual([true, false])
      await clock.advance(9000)
      expect([await b.keep('x', 10_000), a.held]).toEqual([false, 1])
      await clock.advance(1000)
      expect([await b.keep('x', 10_000), a.held, b.held]).toEqual([true, 0, 1])
      expect(await a.keep('x', 10_000)).toBe(false)
      await b.close()
      expect(await a.keep('x', 10_000)).toBe(true)
    }))
})

describe('two loops', () => {
  it('never step one session at once', () =>
    withBackend(async ({ parts: { store } }) => {
      const clock = createManualClock(Date.now())
      const names = Array.from({ length: 5 }, (_, i) => `s${i}`)
      const running = new Set<string>()
      let [steps, clashes] = [0, 0]
      const step = async (session: string): Promise<Outcome> => {
        if (running.has(session)) clashes += 1
        running.add(session)
        await store.ping()
        running.delete(session)
        steps += 1
        return { kind: 'done' }
      }
      const loops = ['a', 'b'].map((holder) => {
        const leases = new Leases({ store, clock, log, holder })
        return new ReconcileLoop({
          clock,
          log,
          attention: async () => names,
          reconcile: async (session) =>
            (await leases.run(session, () => step(session))) ?? {
              kind: 'again',
              inMs: 1,
            },
        })
      })
      for (const loop of loops) loop.start()
      while (steps < 200) {
        for (const loop of loops) for (const name of names) loop.wake(name)
        await clock.advance(1000)
        await store.ping()
      }
      await Promise.all(loops.map((loop) => loop.close()))
      expect(clashes).toBe(0)
    }))
})

describe('a loop', () => {
  it('tries what failed again, ever later, and ends though work waits', async () => {
    const clock = createManualClock(0)
    const at: number[] = []
    const loop = new ReconcileLoop({
      clock,
      log,
      attention: async () => [],
      reconcile: async () => {
        at.push(clock.now())
        return { kind: 'retry', error: new Error('no') }
      },
    })
    loop.wake('s')
    await clock.advance(16_000)
    expect(at).toEqual([0, 500, 1500, 3500, 7500, 15_500])
    await loop.close()
    expect(clock.pending()).toBe(0)
  })

  it('survives a look that fails', async () => {
    const clock = createManualClock(0)
    let looks = 0
    const loop = new ReconcileLoop({
      clock,
      log,
      attention: async () => {
        looks += 1
        throw new Error('no')
      },
      reconcile: async () => ({ kind: 'done' }),
    })
    loop.start()
    await clock.advance(3500)
    expect(looks).toBe(4)
    await loop.close()
  })
})
