import { describe, expect, test } from 'vitest'
import { createCounters } from './counters.ts'

describe('counters', () => {
  test('count by key and forget the longest unused', () => {
    const counters = createCounters(2)
    expect([counters.next('a'), counters.next('b'), counters.next('a'), counters.next('c')]).toEqual([
      1, 1, 2, 1,
    ])
    expect([counters.next('a'), counters.next('b')]).toEqual([3, 1])
    counters.clear()
    expect(counters.next('a')).toBe(1)
  })
})
