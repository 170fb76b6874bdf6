import type { AuditHead, AuditRecord } from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExportChecker } from './check-export.ts'
import { testBerth as berth, chain, headOf, keyPair } from './test-chain.ts'

const other = keyPair()
const keys = [{ keyId: 'k1', publicKey: berth.publicKey }]

const check = (records: readonly AuditRecord[], heads: readonly AuditHead[] = []) => {
  const checker = new ExportChecker(heads, keys)
  for (const record of records) if (!checker.add(record)) break
  return checker.result()
}

const six = chain(6)
const kept = [headOf(six[3]), headOf(six[5])]
const changed = (index: number, change: (record: AuditRecord) => AuditRecord) =>
  six.map((record, at) => (at === index ? change(record) : record))

describe('[P158] an export', () => {
  it('that nobody touched is whole, and signed heads vouch for it', () => {
    expect(check(six, kept)).toEqual({
      ...{ entries: 6, first: 1, last: 6, gaps: 0 },
      heads: 2,
      beyond: 0,
      proven: 6,
    })
    expect(check([])).toMatchObject({ entries: 0, first: 0, last: 0 })
    expect(check(six.slice(2), kept)).toMatchObject({ first: 3, entries: 4, gaps: 0, proven: 6 })
  })

  it.each<[string, readonly AuditRecord[], RegExp]>([
    [
      'with a deed that is another',
      changed(2, (record) => ({ ...record, action: 'other' })),
      /Entry 3 .* is not what was sealed/,
    ],
    [
      'with another actor',
      changed(0, (record) => ({ ...record, actor: { kind: 'user', id: 'eve' } })),
      /Entry 1 .* is not what/,
    ],
    [
      'with a detail less',
      changed(5, ({ details: _, ...record }) => record),
      /Entry 6 .* is not what was sealed/,
    ],
    ['with a field more', changed(3, (record) => ({ ...record, code: 'x' })), /Entry 4 .* is not what/],
    ['without a seal', changed(1, ({ sealed: _, ...record }) => record), /aud_2 is not sealed/],
    ['with two in another order', [six[0], six[2], six[1]] as AuditRecord[], /Entry 2 comes after entry 3/],
    ['with one twice', [...six.slice(0, 3), six[2] as AuditRecord], /Entry 3 comes after entry 3/],
    [
      'with one that was put in',
      [...six.slice(0, 3), ...chain(4, 'forged').slice(3)],
      /Entry 4 does not follow after entry 3/,
    ],
    [
      'with one of another number',
      changed(4, (record) => renumbered(record, 9)),
      /Entry 9 .* is not what was sealed/,
    ],
    [
      'made anew from an entry on',
      [...six.slice(0, 2), ...chain(6, 'forged').slice(2)],
      /Entry 3 does not follow/,
    ],
    ['made anew as a whole', chain(6, 'forged'), /Entry 4 is not the one whose head was signed/],
  ])('%s is found out', (_, records, problem) => {
    expect(check(records, kept).problem).toMatch(problem)
  })

  it('in which some are missing says how many places that are, and what is vouched for', () => {
    const some = six.filter(({ sealed }) => sealed?.number !== 2 && sealed?.number !== 5)
    expect(check(some, kept)).toMatchObject({ entries: 4, gaps: 2, heads: 2, proven: 6 })
  })

  it('that was cut at its end is told by heads of later entries', () => {
    expect(check(six.slice(0, 5), kept)).toMatchObject({ last: 5, proven: 4, beyond: 1 })
    expect(check(six.slice(0, 3), kept)).toMatchObject({ last: 3, proven: 0, heads: 0, beyond: 2 })
  })

  it.each([
    ['signed with another key', [headOf(six[3], other)], /signature of the head of entry 4 is not right/],
    [
      'of another time than was signed',
      [{ ...headOf(six[3]), at: '2031-01-01T00:00:00.000Z' }],
      /is not right/,
    ],
    ['of another entry than was signed', [{ ...headOf(six[3]), number: 5 }], /is not right/],
    [
      'whose key is not given',
      [{ ...headOf(six[3]), keyId: 'k2' }],
      /no public key k2 for the head of entry 4/,
    ],
    ['with no signature', [{ ...headOf(six[3]), signature: '' }], /is not right/],
  ])('is not checked with a head %s', (_, heads, problem) => {
    expect(() => new ExportChecker(heads, keys)).toThrow(problem)
  })

  it('with any change of one value anywhere is found out', () => {
    const paths = Object.keys(six[0] ?? {}).filter((key) => key !== 'sealed') as (keyof AuditRecord)[]
    fc.assert(
      fc.property(
        fc.nat(five),
        fc.constantFrom(...paths, 'number' as const, 'previous' as const, 'digest' as const),
        fc.string({ minLength: 1 }),
        (index, field, value) => {
          const tampered = changed(index, (record) => spoiled(record, field, value))
          fc.pre(JSON.stringify(tampered) !== JSON.stringify(six))
          expect(check(tampered, kept).problem).toBeDefined()
        },
      ),
    )
  })

  it('in any order but its own is found out', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...six.keys()], { minLength: 2 }), (order) => {
        const isSorted = order.every((at, index) => index === 0 || at > (order[index - 1] ?? 0))
        const { problem } = check(order.map((at) => six[at] as AuditRecord))
        expect(problem === undefined).toBe(isSorted)
      }),
    )
  })
})

const five = six.length - 1

const renumbered = (record: AuditRecord, number: number): AuditRecord =>
  record.sealed === undefined ? record : { ...record, sealed: { ...record.sealed, number } }

/** An entry with another value in one field, also of its seal. */
const spoiled = (record: AuditRecord, field: string, value: string): AuditRecord => {
  const { sealed, ...entry } = record
  if (sealed === undefined) return record
  if (field === 'number') return renumbered(record, sealed.number + 1 + value.length)
  if (field in sealed) return { ...record, sealed: { ...sealed, [field]: value } }
  return { ...entry, [field]: value, sealed } as AuditRecord
}
