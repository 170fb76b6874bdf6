import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitLines } from './lines.ts'

const linesOf = (pieces: readonly string[]): string[] => {
  const lines: string[] = []
  const splitter = splitLines((line) => lines.push(line))
  for (const piece of pieces) splitter.push(piece)
  splitter.end()
  return lines
}

test('the pieces in which a text comes make no difference', () => {
  const piece = fc.array(fc.constantFrom('a', 'bc', '\n', ' ', 'x'.repeat(3000)), { maxLength: 12 })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const texts = pieces.map((parts) => parts.join(''))
      expect(linesOf(texts)).toEqual(linesOf([texts.join('')]))
    }),
  )
})

test('empty lines are left out, and a line without an end takes no more than its share', () => {
  expect(linesOf(['one\n\n \ntwo', ' and more'])).toEqual(['one', 'two and more'])
  const [line] = linesOf(Array.from({ length: 1000 }, () => 'y'.repeat(1000)))
  expect(line).toHaveLength(8192)
})
