import { createManualClock } from '@berth/testing'
import { expect, test } from 'vitest'
import { Limiter } from './limiter.ts'

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('lets a burst through, and then so many a second', async () => {
  const clock = createManualClock(0)
  const limiter = new Limiter({ qps: 10, burst: 3, parallel: 100, clock })
  let done = 0
  for (let i = 0; i < 6; i++) void limiter.run(async () => void done++)
  await settled()
  expect(done).toBe(3)
  await clock.advance(100)
  expect(done).toBe(4)
  await clock.advance(200)
  expect(done).toBe(6)
})

test('lets so many run at once, in order, and frees the place of one that fails', async () => {
  const clock = createManualClock(0)
  const limiter = new Limiter({ qps: 1000, burst: 1000, parallel: 1, clock })
  const log: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = limiter.run(async () => {
    log.push('first')
    await gate.promise
    throw new Error('failed')
  })
  const second = limiter.run(async () => void log.push('second'))
  await settled()
  expect(log).toEqual(['first'])
  gate.resolve()
  await expect(first).rejects.toThrow('failed')
  await second
  expect(log).toEqual(['first', 'second'])
})
