import { expect, test } from 'vitest'
import { createManualClock } from './clock.ts'

test('timers fire in order of time, each at its own time', async () => {
  const clock = createManualClock(0)
  const fired: [string, number][] = []
  clock.setTimeout(() => fired.push(['late', clock.now()]), 30)
  clock.setTimeout(() => fired.push(['early', clock.now()]), 10)
  const cancelled = clock.setTimeout(() => fired.push(['never', clock.now()]), 20)
  clock.clearTimeout(cancelled)
  await clock.advance(29)
  expect(fired).toEqual([['early', 10]])
  expect(clock.now()).toBe(29)
  await clock.advance(1)
  expect(fired).toEqual([
    ['early', 10],
    ['late', 30],
  ])
})

test('what continuations set within the span fires too', async () => {
  const clock = createManualClock(0)
  const ticks: number[] = []
  const loop = async () => {
    while (ticks.length < 5) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 10))
      ticks.push(clock.now())
    }
  }
  const done = loop()
  await clock.advance(100)
  await done
  expect(ticks).toEqual([10, 20, 30, 40, 50])
  expect(clock.now()).toBe(100)
  expect(clock.pending()).toBe(0)
})

test('a timer that is cancelled by another of the same time does not fire', async () => {
  const clock = createManualClock(0)
  const fired: string[] = []
  clock.setTimeout(() => clock.clearTimeout(second), 5)
  const second = clock.setTimeout(() => fired.push('second'), 5)
  await clock.advance(5)
  expect(fired).toEqual([])
})

test('what became due while time leapt fires once, with the next advance', async () => {
  const clock = createManualClock(0)
  const ticks: number[] = []
  const tick = () => {
    ticks.push(clock.now())
    clock.setTimeout(tick, 10)
  }
  clock.setTimeout(tick, 10)
  clock.leap(100)
  expect(ticks).toEqual([])
  await clock.advance(5)
  expect(ticks).toEqual([100])
})
