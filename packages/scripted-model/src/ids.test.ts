import { describe, expect, test } from 'vitest'
import { idsFor } from './ids.ts'

describe('ids', () => {
  test('look like those of the API and follow from request and number', () => {
    const make = (body: string, serial: number) => idsFor(Buffer.from(body), serial)('toolu', 1)
    expect(make('a', 1)).toMatch(/^toolu_01[0-9A-Za-z]{22}$/)
    expect(make('a', 1)).toBe(make('a', 1))
    expect(new Set([make('a', 1), make('a', 2), make('b', 1)]).size).toBe(3)
  })
})
