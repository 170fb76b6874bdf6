import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { partsOf } from './parts.ts'
import { Slots } from './slots.ts'

const cut = async (chunks: string[], partBytes: number, maxBytes = 100) => {
  const blob = createHash('sha256').update(chunks.join('')).digest('hex')
  const content = Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  const parts: [string, boolean][] = []
  for await (const { bytes, last } of partsOf({ blob, content, maxBytes }, partBytes))
    parts.push([String(bytes), last])
  return parts
}

describe('partsOf', () => {
  it.each([
    ['nothing', [], [['', true]]],
    ['less than a part', ['ab', 'c'], [['abc', true]]],
    ['just a part', ['ab', 'cd'], [['abcd', true]]],
    [
      'a little more',
      ['abcde'],
      [
        ['abcd', false],
        ['e', true],
      ],
    ],
    [
      'many in one chunk',
      ['abcdefghi', 'j'],
      [
        ['abcd', false],
        ['efgh', false],
        ['ij', true],
      ],
    ],
  ])('cuts %s', async (_, chunks, parts) => {
    expect(await cut(chunks, 4)).toEqual(parts)
  })

  it('takes as much as is allowed, and holds no more than that', async () => {
    expect(await cut(['abc'], 1_000_000, 3)).toEqual([['abc', true]])
    await expect(cut(['abcd'], 1_000_000, 3)).rejects.toMatchObject({ code: 'too_large' })
  })
})

describe('Slots', () => {
  it('lets so many in, and the others in the order in which they came', async () => {
    const slots = new Slots(2)
    const inside: number[] = []
    const enter = async (name: number) => {
      const leave = await slots.take()
      inside.push(name)
      return leave
    }
    const [first, second, third, fourth] = [enter(1), enter(2), enter(3), enter(4)]
    const leave = await second
    expect(inside).toEqual([1, 2])
    leave()
    await third
    expect(inside).toEqual([1, 2, 3])
    ;(await first)()
    await fourth
    ;(await third)()
    ;(await fourth)()
    await enter(5)
    expect(inside).toEqual([1, 2, 3, 4, 5])
  })
})
