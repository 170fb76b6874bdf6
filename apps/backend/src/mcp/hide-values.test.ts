import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hideValues } from './hide-values.ts'

const through = (pieces: readonly string[], values: readonly string[]) =>
  text(Readable.from(pieces.map((piece) => Buffer.from(piece))).pipe(hideValues(values)))

test('values are hidden wherever chunks are cut, and everything else passes as it is', async () => {
  const value = 'sécret-11'
  const piece = fc.constantFrom('a', 'sé', 'sécret', 'sécret-1', value, '\n', 'ret-11', '')
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 12 }),
      fc.integer({ min: 1, max: 7 }),
      async (parts, size) => {
        const whole = parts.join('')
        const pieces = whole.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? []
        expect(await through(pieces, [value])).toBe(whole.replaceAll(value, '[hidden]'))
      },
    ),
  )
})

test('a scheme before a value hides the value alone too; short values and none hide nothing', async () => {
  expect(await through(['x abcdefgh y Bearer abcdefgh'], ['Bearer abcdefgh'])).toBe('x [hidden] y [hidden]')
  expect(await through(['a b c'], ['a'])).toBe('a b c')
  expect(await through(['a b c'], [])).toBe('a b c')
})
