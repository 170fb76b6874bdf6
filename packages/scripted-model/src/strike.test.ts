import { describe, expect, test } from 'vitest'
import { strikeOf } from './strike.ts'

describe('strikes', () => {
  const lookup = (name: string) => ({ n: '2', status: '529' })[name]
  const fault = { kind: 'status', status: '{{status}}', times: '{{n}}' } as const
  test.each([
    [1, true],
    [2, true],
    [3, false],
  ])('attempt %i of a fault that comes twice', (attempt, strikes) => {
    expect(strikeOf(fault, attempt, lookup)?.kind === 'status').toBe(strikes)
  })

  test('a status that is none becomes 500', () => {
    expect(strikeOf({ kind: 'status', status: 200 }, 1, lookup)).toMatchObject({ status: 500 })
  })

  test('a stall without a place comes before the answer', () => {
    expect(strikeOf({ kind: 'stall' }, 99, lookup)).toEqual({ kind: 'stall', after: undefined })
    expect(strikeOf({ kind: 'stall', after: 2 }, 1, lookup)).toEqual({ kind: 'stall', after: 2 })
  })
})
