import { describe, expect, it } from 'vitest'
import { flushPacket, PktMalformed, pktLine } from './pkt-line.ts'
import { judgePush, parsePush, refusalReport } from './push-commands.ts'

const a = 'a'.repeat(40)
const b = 'b'.repeat(40)
const zero = '0'.repeat(40)
const branch = 'berth/ses_1'
const own = `refs/heads/${branch}`
const lines = (...texts: string[]) => texts.map((text) => Buffer.from(text, 'latin1'))
const judge = (...texts: string[]) => judgePush(parsePush(lines(...texts)), branch)

describe('a push', () => {
  it.each([
    ['of the session branch', [`${zero} ${a} ${own}\0report-status side-band-64k`]],
    ['of it, with force', [`${b} ${a} ${own}\n`]],
    ['from a shallow clone', [`shallow ${b}`, `shallow ${a}\n`, `${zero} ${a} ${own}\0 report-status`]],
    ['of SHA-256 objects', [`${'0'.repeat(64)} ${'c'.repeat(64)} ${own}\0object-format=sha256`]],
    ['of nothing, which asks whether it may', []],
  ])('%s is let through', (_, texts) => expect(judge(...texts)).toBeUndefined())

  it.each([
    ['of another branch', [`${zero} ${a} refs/heads/main`], /only its branch berth\/ses_1/],
    ['of another session’s branch', [`${zero} ${a} refs/heads/berth/ses_2`], /only its branch/],
    ['of a branch below it', [`${zero} ${a} ${own}/x`], /only its branch/],
    ['of one that looks like it', [`${zero} ${a} ${own} `], /only its branch/],
    ['of a tag', [`${zero} ${a} refs/tags/v1`], /no tags/],
    ['of a ref of a server', [`${zero} ${a} refs/pull/1/head`], /only its branch/],
    ['of HEAD', [`${zero} ${a} HEAD`], /only its branch/],
    ['that deletes', [`${a} ${zero} ${own}`], /deletes no branch/],
    ['of two', [`${zero} ${a} ${own}\0x`, `${zero} ${a} refs/heads/main`], /only its branch/],
    ['of the same one twice', [`${zero} ${a} ${own}\0x`, `${a} ${b} ${own}`], /one branch/],
    ['with options', [`${zero} ${a} ${own}\0report-status push-options`], /push options/],
  ])('%s is refused', (_, texts, reason) => expect(judge(...texts)).toMatch(reason))

  it.each([
    [`push-cert\0report-status`],
    [`${zero} ${a}`],
    [`${zero} ${a} `],
    [`${zero} ${a.slice(1)} ${own}`],
    [`${zero}  ${a} ${own}`],
    [`${zero} ${a} ${own}\n\n`],
    [`${zero} ${a} ${own}\nrefs/heads/main`],
    [`${zero} ${a} ${own}\0x`, `${zero} ${a} ${own}\0refs/heads/main`],
    [`${zero} ${a} ${own}\0x`, `shallow ${a}`],
    [`shallow ${a}\0x`],
    [`shallow x`],
    [`deepen 1`],
  ])('with a line that is no command is none: %j', (...texts) => {
    expect(() => parsePush(lines(...texts))).toThrow(PktMalformed)
  })
})

describe('the report of a refused push', () => {
  const text = `${zero} ${a} refs/heads/caf\xe9`
  const report = (capabilities: string) =>
    refusalReport(parsePush(lines(`${text}\0${capabilities}`)), 'because')
  const inner = Buffer.concat([
    pktLine('unpack ok\n'),
    pktLine(Buffer.from('ng refs/heads/caf\xe9 because\n', 'latin1')),
    flushPacket,
  ])

  it('names each ref as it came, with the reason', () => {
    expect(report('report-status')).toEqual(inner)
    expect(report('side-band-64k report-status-v2')).toEqual(
      Buffer.concat([pktLine(Buffer.concat([Buffer.from([1]), inner])), flushPacket]),
    )
  })

  it('is none where nobody reads it', () => expect(report('atomic')).toBeUndefined())
})
