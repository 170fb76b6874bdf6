import fc from 'fast-check'
import { expect, test } from 'vitest'
import { boundedJson, clip } from './bounds.ts'

test('any value becomes JSON of bounded length; a short one stays as it is', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, maxDepth: 4 }),
      fc.integer({ min: 200, max: 2000 }),
      (value, length) => {
        expect(JSON.stringify(boundedJson(value, length)).length).toBeLessThanOrEqual(length)
      },
    ),
  )
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 2 }), (value) => {
      if (JSON.stringify(value).length < 32_000)
        expect(boundedJson(value)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('long texts and lists are cut with a mark', () => {
  const short = boundedJson(
    { a: 'x'.repeat(100_000), b: Array.from({ length: 50_000 }, (_, i) => i), c: 1 },
    10_000,
  )
  expect(short).toMatchObject({ a: expect.stringMatching(/^x+… \(cut\)$/), c: 1 })
})

test('a text is cut with a mark, never inside a character', () => {
  expect(clip('short', 10)).toBe('short')
  expect(clip('🙂'.repeat(20), 12)).toBe('🙂🙂… (cut)')
})
