import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { advertisedCommit } from './advertised.ts'
import { flushPacket, pktLine } from './pkt-line.ts'
import { readReport } from './push-report.ts'

const ref = 'refs/heads/berth/ses_1'
const report = (...lines: string[]) =>
  Buffer.concat([...lines.map((line) => pktLine(`${line}\n`)), flushPacket])
const banded = (bytes: Buffer, size: number) => {
  const pieces = [pktLine(Buffer.concat([Buffer.from([2]), Buffer.from('Resolving deltas\n')]))]
  for (let at = 0; at < bytes.length; at += size)
    pieces.push(pktLine(Buffer.concat([Buffer.from([1]), bytes.subarray(at, at + size)])))
  return Buffer.concat([...pieces, flushPacket])
}

describe('the report of a push', () => {
  it.each([
    ['ok', report('unpack ok', `ok ${ref}`), { ok: true }],
    ['ok, in a side band', banded(report('unpack ok', `ok ${ref}`), 7), { ok: true }],
    ['a refusal', report('unpack ok', `ng ${ref} hook declined`), { ok: false, reason: 'hook declined' }],
    [
      'a broken pack',
      report('unpack index-pack abnormal exit', `ng ${ref} unpacker error`),
      { ok: false, reason: 'unpacker error' },
    ],
    ['of another branch', report('unpack ok', `ok ${ref}2`), { ok: undefined }],
    ['ok, though nothing was unpacked', report('unpack no', `ok ${ref}`), { ok: false }],
    ['no report', Buffer.from('<html>'), { ok: undefined }],
    ['one that is cut', report('unpack ok', `ok ${ref}`).subarray(0, 20), { ok: undefined }],
  ])('says %s', (_, answer, expected) => expect(readReport(answer, ref)).toEqual(expected))
})

describe('where a branch is', () => {
  const a = 'a'.repeat(40)
  const long = 'b'.repeat(64)
  const advert = (object: string) =>
    Buffer.concat([
      pktLine('# service=git-receive-pack\n'),
      flushPacket,
      pktLine(`${'c'.repeat(object.length)} ${ref}x\0report-status\n`),
      pktLine(`${object} ${ref}\n`),
      flushPacket,
    ])
  const look = (bytes: Buffer, size: number) => {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    return advertisedCommit(Readable.from(pieces), { ref, maxBytes: 10_000 })
  }

  it.each([1, 7, 50, 1000])('is read from pieces of %i bytes', async (size) => {
    expect(await look(advert(a), size)).toBe(a)
    expect(await look(advert(long), size)).toBe(long)
    expect(await look(pktLine(`${a} ${ref}x\n`), size)).toBeUndefined()
  })

  it('is not looked for without end', () =>
    expect(look(Buffer.alloc(20_000, 'x'), 1000)).rejects.toThrow(RangeError))
})
