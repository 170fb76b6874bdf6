import { expect, it } from 'vitest'
import { type CachedSession, StateCache } from './state-cache.ts'

const session = (number: number, bytes = 1): CachedSession => ({
  number,
  state: {} as CachedSession['state'],
  summary: '',
  bytes,
})

it('drops what was not used for longest, by count and by bytes', () => {
  const cache = new StateCache({ sessions: 2, bytes: 10 })
  cache.set('a', session(1))
  cache.set('b', session(2))
  cache.get('a')
  cache.set('c', session(3))
  expect(['a', 'b', 'c'].map((id) => cache.get(id)?.number)).toEqual([1, undefined, 3])
  cache.set('d', session(4, 9))
  expect(['a', 'c', 'd'].map((id) => cache.get(id)?.number)).toEqual([undefined, 3, 4])
  cache.set('e', session(5, 11))
  expect(['c', 'd', 'e'].map((id) => cache.get(id)?.number)).toEqual([undefined, undefined, undefined])
})

it('forgets what a rolled back transaction put there, and only that', () => {
  const cache = new StateCache({ sessions: 10, bytes: 100 })
  cache.set('a', session(1))
  cache.committed()
  cache.set('b', session(2))
  cache.rolledBack()
  expect([cache.get('a')?.number, cache.get('b')]).toEqual([1, undefined])
})
