import { createManualClock } from '@berth/testing'
import { expect, it } from 'vitest'
import { WatchTime } from './watch-time.ts'

it('counts the time from the last gap between two looks on', async () => {
  const clock = createManualClock(0)
  const watch = new WatchTime(clock)
  for (let second = 0; second < 60; second++) {
    await clock.advance(1000)
    watch.looked()
  }
  expect(watch.since).toBe(0)
  await clock.advance(20_000)
  expect(watch.since).toBe(80_000)
  await clock.advance(1000)
  watch.looked()
  await clock.advance(4000)
  expect(watch.since).toBe(81_000)
})
