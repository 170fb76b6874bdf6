import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateUsage } from './usage.ts'

describe('usage', () => {
  test('adds up to the input, whatever its parts', () => {
    fc.assert(
      fc.property(fc.nat(1e7), fc.nat(1e7), fc.boolean(), fc.boolean(), (total, last, cached, first) => {
        const usage = estimateUsage({ total, last, cached, first }, 7)
        const sum = usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens
        expect(sum).toBe(Math.max(1, Math.ceil(total / 4)))
        expect(
          Math.min(usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens),
        ).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
