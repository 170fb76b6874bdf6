import { describe, expect, it } from 'vitest'
import { compileLimits } from './limits.ts'

describe('compileLimits', () => {
  it('fills in the documented defaults', () => {
    expect(compileLimits()).toEqual({
      memoryBytes: 4 * 1024 ** 3,
      processes: 1024,
      wallClockMs: undefined,
      cpuSeconds: undefined,
      fileBytes: 8 * 1024 ** 3,
      openFiles: 4096,
      temporaryBytes: 512 * 1024 ** 2,
    })
  })

  it('keeps what was asked for', () => {
    expect(compileLimits({ processes: 20, wallClockMs: 500 })).toMatchObject({
      processes: 20,
      wallClockMs: 500,
    })
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses %s for each limit', (value) => {
    for (const name of Object.keys(compileLimits())) {
      expect(() => compileLimits({ [name]: value })).toThrow(name)
    }
  })
})
