import { createManualClock } from '@berth/testing'
import { expect, test } from 'vitest'
import { Adopted } from './adopted.ts'

const open = (running: Set<string>) => {
  const clock = createManualClock(0)
  const ended: string[] = []
  const adopted = new Adopted({
    clock,
    pollMs: 100,
    look: async (session) => {
      if (session === 'failing') throw new Error('no answer')
      return running.has(session)
    },
    onEnd: (session) => void ended.push(session),
  })
  return { clock, ended, adopted }
}

test('one timer for all, none when nobody is left', async () => {
  const running = new Set(['a', 'b'])
  const { clock, ended, adopted } = open(running)
  expect(clock.pending()).toBe(0)
  for (const session of ['a', 'b', 'a']) adopted.add(session)
  expect(clock.pending()).toBe(1)
  await clock.advance(250)
  expect(ended).toEqual([])
  running.delete('a')
  await clock.advance(100)
  expect(ended).toEqual(['a'])
  running.delete('b')
  await clock.advance(100)
  expect(ended).toEqual(['a', 'b'])
  expect(clock.pending()).toBe(0)
})

test('a look that fails is repeated', async () => {
  const { clock, ended, adopted } = open(new Set())
  adopted.add('failing')
  await clock.advance(300)
  expect(ended).toEqual([])
  expect(clock.pending()).toBe(1)
})

test('nothing goes on after close', async () => {
  const { clock, ended, adopted } = open(new Set())
  adopted.add('a')
  adopted.close()
  adopted.add('b')
  expect(clock.pending()).toBe(0)
  await clock.advance(1000)
  expect(ended).toEqual([])
})
