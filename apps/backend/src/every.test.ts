import { createManualClock } from '@berth/testing'
import { expect, it } from 'vitest'
import { every } from './every.ts'

it.each([false, true])(
  'does it again a while after it was done, until it is ended (later: %s)',
  async (later) => {
    const clock = createManualClock(0)
    const times: number[] = []
    let done = Promise.withResolvers<void>()
    const end = every({ clock, ms: 10, later }, () => {
      times.push(clock.now())
      return done.promise
    })
    const first = later ? 10 : 0
    await clock.advance(100)
    expect(times).toEqual([first])
    done.resolve()
    await clock.advance(0)
    done = Promise.withResolvers<void>()
    await clock.advance(10)
    expect(times).toEqual([first, 110])
    let hasEnded = false
    const ended = end().then(() => {
      hasEnded = true
    })
    await clock.advance(100)
    expect(hasEnded).toBe(false)
    done.resolve()
    await ended
    await clock.advance(100)
    expect(times).toHaveLength(2)
  },
)
