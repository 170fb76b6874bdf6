import { createManualClock } from '@berth/testing'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'
import { withLease } from './lease.ts'
import { ReconcileLoop } from './loop.ts'
import type { Outcome } from './reconcile.ts'

const log = pino({ level: 'silent' })

describe('a lease', () => {
  it('is held by one, for as long as the work takes, and by the next one then', () =>
    withBackend(async ({ parts: { store } }) => {
      const clock = createManualClock(Date.now())
      const options = (holder: string) => ({ store, clock, log, name: 'session:x', holder })
      const gate = Promise.withResolvers<string>()
      const begun = Promise.withResolvers<void>()
      const first = withLease(options('a'), () => {
        begun.resolve()
        return gate.promise
      })
      await begun.promise
      for (let minute = 0; minute < 5; minute++) {
        for (let i = 0; i < 6; i++) {
          await clock.advance(10_000)
          await store.ping()
        }
        expect(await withLease(options('b'), async () => 'never')).toBeUndefined()
      }
      gate.resolve('done')
      expect(await first).toBe('done')
      expect(clock.pending()).toBe(0)
      expect(await withLease(options('b'), async () => 'then')).toBe('then')
    }))

  it('is given back when the work fails', () =>
    withBackend(async ({ parts: { store } }) => {
      const options = { store, clock: createManualClock(Date.now()), log, name: 'y' }
      const failing = withLease({ ...options, holder: 'a' }, () => Promise.reject(new Error('no')))
      await expect(failing).rejects.toThrow('no')
      expect(await withLease({ ...options, holder: 'b' }, async () => 1)).toBe(1)
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
      const loops = ['a', 'b'].map(
        (holder) =>
          new ReconcileLoop({
            clock,
            log,
            attention: async () => names,
            reconcile: async (session) =>
              (await withLease({ store, clock, log, name: session, holder }, () => step(session))) ?? {
                kind: 'again',
                inMs: 1,
              },
          }),
      )
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
