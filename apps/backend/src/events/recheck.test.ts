import { createManualClock } from '@berth/testing'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import type { Heads } from '../store/port.ts'
import { startRecheck } from './recheck.ts'
import { Tail } from './tail.ts'

it('finds what nobody told of within a second, ends what is gone, and asks for nothing while nobody reads', async () => {
  const clock = createManualClock()
  const heads: Heads = { sessions: new Map(), projects: new Map([['p', 3]]) }
  const asked: unknown[] = []
  const gone: string[] = []
  const read = async (_key: string, after: number) => (after < 3 ? [{ position: 3, json: '{}' }] : [])
  const [events, changes] = [new Tail({ read }), new Tail({ read })]
  const store = {
    heads: async (watched: unknown) => {
      asked.push(watched)
      if (asked.length === 1) throw new Error('away')
      return heads
    },
  }
  const recheck = startRecheck({
    ...{ store, events, changes, clock, log: pino({ level: 'silent' }) },
    gone: (key, code) => void gone.push(`${key} ${code}`),
  })
  await clock.advance(3000)
  expect(asked).toEqual([])
  const stop = new AbortController()
  const [log, list] = [events.follow('s', 3, stop.signal).next(), changes.follow('p', 2, stop.signal)]
  expect((await list.next()).value).toHaveLength(1)
  const more = list.next()
  await clock.advance(1000)
  expect(asked).toEqual([{ sessions: ['s'], projects: ['p'] }])
  heads.projects.set('p', 4)
  await clock.advance(1000)
  expect(gone).toEqual(['s session_not_found'])
  await recheck.close()
  expect(clock.pending()).toBe(0)
  stop.abort()
  await Promise.all([log, more])
})
