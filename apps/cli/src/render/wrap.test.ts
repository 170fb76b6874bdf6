import fc from 'fast-check'
import { expect, test } from 'vitest'
import { textWidth } from '../terminal/width.ts'
import { createWrap, wrap } from './wrap.ts'

const inPieces = (text: string, cuts: readonly number[], columns: number): string => {
  const places = [0, ...[...cuts].sort((x, y) => x - y), text.length]
  const wrapper = createWrap(() => columns)
  const pieces = places.slice(1).map((end, i) => wrapper.push(text.slice(places[i], end)))
  return pieces.join('') + wrapper.end()
}

const words = fc.array(fc.constantFrom('a', 'word', '世界', '-', '`code`', '\n', '\n\n', '12.', '  '), {
  maxLength: 60,
})

test('the pieces in which a text comes make no difference, and nothing is lost', () => {
  fc.assert(
    fc.property(words, fc.array(fc.nat({ max: 100 }), { maxLength: 8 }), (parts, cuts) => {
      const text = parts.join(' ')
      const whole = inPieces(text, [], 24)
      expect(
        inPieces(
          text,
          cuts.map((cut) => Math.min(cut, text.length)),
          24,
        ),
      ).toBe(whole)
      expect(whole.replace(/\s+/g, ' ').trim()).toBe(text.replace(/\s+/g, ' ').trim())
      for (const line of whole.split('\n')) expect(textWidth(line.trimEnd())).toBeLessThanOrEqual(24)
    }),
  )
})

test.each([
  ['one two three', 'one two\nthree'],
  ['- one two three', '- one two\n  three'],
  ['  - a bb cc dd', '  - a bb\n    cc dd'],
  ['```\none two three\n```\none two three', '```\none two three\n```\none two\nthree'],
  ['| a | b | c | d |', '| a | b | c | d |'],
  ['a unbreakable-word b', 'a unbreakable-word\nb'],
])('%j becomes %j', (text, wrapped) => expect(inPieces(text, [], 9)).toBe(wrapped))

test('lines after a break can be indented', () => {
  expect(wrap('  name   one two three four', 22, 9)).toBe('  name   one two three\n         four')
})
