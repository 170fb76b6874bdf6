import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BadFrame, type EgressAnswerHead, egressAnswerHead, encodeHead, HeadReader } from './egress-frame.ts'

const head = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  headers: fc.array(fc.tuple(fc.string({ maxLength: 20 }), fc.string({ maxLength: 50, unit: 'grapheme' })), {
    maxLength: 5,
  }),
})

const read = (pieces: readonly Uint8Array[]) => {
  const reader = new HeadReader<EgressAnswerHead>(egressAnswerHead)
  const rest: number[] = []
  let found: EgressAnswerHead | undefined
  for (const piece of pieces) {
    if (found !== undefined) rest.push(...piece)
    const taken = found === undefined ? reader.take(piece) : undefined
    if (taken === undefined) continue
    found = taken.head
    rest.push(...taken.rest)
  }
  return { found, rest }
}

describe('a head before a body', () => {
  it('is read as it was written, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        head,
        fc.uint8Array({ maxLength: 50 }),
        fc.integer({ min: 1, max: 9 }),
        (one, body, size) => {
          const bytes = [...encodeHead(one), ...body]
          const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
            Uint8Array.from(bytes.slice(i * size, (i + 1) * size)),
          )
          expect(read(pieces)).toEqual({ found: one, rest: [...body] })
        },
      ),
    )
  })

  it('is refused when it is too large, or none', () => {
    expect(() => read([Uint8Array.from([255, 255, 255, 255])])).toThrow(BadFrame)
    expect(() => read([Uint8Array.from([0, 0, 0, 2, 123, 123])])).toThrow(BadFrame)
    expect(() => encodeHead({ status: 200, headers: [['x', 'y'.repeat(200_000)]] })).toThrow(BadFrame)
    expect(() => read([encodeHead({ status: 99, headers: [] })])).toThrow(BadFrame)
  })
})
