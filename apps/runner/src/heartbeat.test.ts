import { BerthError } from '@berth/contract'
import { expect, it } from 'vitest'
import { startHeartbeat } from './heartbeat.ts'
import { createContact } from './outbox/contact.ts'

const open = (answer: (beat: number) => void) => {
  let time = 0
  const bodies: unknown[] = []
  const away: number[] = []
  let fenced = 0
  const stop = startHeartbeat({
    home: {
      heartbeat: async (body) => {
        bodies.push(body)
        time += 1000
        answer(bodies.length)
      },
    },
    contact: createContact(() => time),
    usage: () => ({ memoryBytes: 1.5, cpuMs: 2, processes: 3 }),
    onFenced: () => {
      fenced += 1
    },
    onAway: (ms) => away.push(ms),
    intervalMs: 1,
  })
  return { bodies, away, stop, fenced: () => fenced }
}

it('beats with what the agent uses', async () => {
  const { bodies, stop } = open(() => undefined)
  await expect.poll(() => bodies.length).toBeGreaterThan(2)
  stop()
  expect(bodies[0]).toEqual({ memoryBytes: 2, cpuMs: 2, processes: 3 })
})

it('tells for how long the backend is away, and forgets it when it is back', async () => {
  const { away, stop } = open((beat) => {
    if (beat !== 4) throw new Error('away')
  })
  await expect.poll(() => away.length).toBeGreaterThan(4)
  stop()
  expect(away.slice(0, 5)).toEqual([0, 1000, 2000, 0, 1000])
})

it('tells when a newer runner took over', async () => {
  const { fenced, away, stop } = open(() => {
    throw new BerthError('fenced', 'over')
  })
  await expect.poll(fenced).toBeGreaterThan(0)
  stop()
  expect(away).toEqual([])
})
