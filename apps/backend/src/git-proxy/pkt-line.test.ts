import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flushPacket, PktMalformed, PktSection, pktLine } from './pkt-line.ts'

const feed = (section: PktSection, chunks: Buffer[]): Buffer | undefined => {
  let rest: Buffer[] | undefined
  for (const chunk of chunks) {
    if (rest !== undefined) rest.push(chunk)
    else {
      const taken = section.take(chunk)
      if (taken !== undefined) rest = [taken]
    }
  }
  return rest === undefined ? undefined : Buffer.concat(rest)
}

const pieces = (bytes: Buffer, cuts: number[]): Buffer[] => {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length))
}

describe('packets before the first flush', () => {
  it('are the same wherever the stream is cut', () => {
    const line = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    const cuts = fc.array(fc.nat(5000), { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), fc.uint8Array(), cuts, (lines, behind, places) => {
        const head = Buffer.concat([...lines.map(pktLine), flushPacket])
        const section = new PktSection(4096)
        const rest = feed(section, pieces(Buffer.concat([head, behind]), places))
        expect(section.lines).toEqual(lines)
        expect(section.head).toEqual(head)
        expect(rest).toEqual(Buffer.from(behind))
      }),
    )
  })

  it('are read the same byte by byte', () => {
    const bytes = Buffer.concat([pktLine('one\n'), pktLine('two'), flushPacket, Buffer.from('PACK')])
    for (let at = 0; at <= bytes.length; at++) {
      const section = new PktSection(4096)
      const rest = feed(section, [bytes.subarray(0, at), bytes.subarray(at)])
      expect([section.lines.map(String), String(rest)]).toEqual([['one\n', 'two'], 'PACK'])
    }
  })

  it.each(['0001', '0002', '0003', '0004', 'xyz!', '-001', '+00a', '00 5', '0x05'])(
    'are malformed with %j',
    (text) => {
      expect(() => new PktSection(4096).take(Buffer.from(`${text}0000`))).toThrow(PktMalformed)
    },
  )

  it('have a limit, whatever length they claim', () => {
    const section = new PktSection(100)
    expect(section.take(Buffer.from(`fff0${'a'.repeat(95)}`))).toBeUndefined()
    expect(() => section.take(Buffer.from('aa'))).toThrow(/more than 100 bytes/)
  })

  it('never make it do anything but read or refuse', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const section = new PktSection(256)
        try {
          feed(
            section,
            chunks.map((chunk) => Buffer.from(chunk)),
          )
        } catch (error) {
          expect(error).toBeInstanceOf(PktMalformed)
        }
      }),
    )
  })
})
