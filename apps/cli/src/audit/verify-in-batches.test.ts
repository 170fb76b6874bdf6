import type { AuditHead, AuditVerification } from '@berth/contract'
import { expect, it } from 'vitest'
import { verifyInBatches } from './verify-in-batches.ts'

const head = (number: number): AuditHead => ({
  ...{ number, digest: 'a'.repeat(64), at: '2030-01-01T00:00:00.000Z', keyId: 'k1', signature: 'x' },
})
const heads = (count: number) => Array.from({ length: count }, (_, index) => head(index + 1))

/** A Berth that has five heads of its own, entries from the third on, and says no to the head of one entry. */
const berth = (bad = 0) => {
  const asked: number[][] = []
  const verify = async (batch: AuditHead[]): Promise<AuditVerification> => {
    asked.push(batch.map(({ number }) => number))
    const olderHeads = batch.filter(({ number }) => number < 3).length
    const isBad = batch.some(({ number }) => number === bad)
    return {
      ...{ ok: !isBad, first: 3, last: 100, digest: 'a'.repeat(64), entries: 98, unchecked: batch.length },
      ...{ olderHeads, heads: 5 + batch.length - olderHeads },
      ...(isBad && { problem: { number: bad, kind: 'head' as const, message: 'another one' } }),
    }
  }
  return { asked, verify }
}

it.each([
  [0, [0]],
  [1, [1]],
  [10, [10]],
  [11, [10, 1]],
  [35, [10, 10, 10, 5]],
])('[P158] sends each of %i heads once, and counts Berth’s own once', async (count, sizes) => {
  const { asked, verify } = berth()
  const olderHeads = Math.min(count, 2)
  expect(await verifyInBatches(heads(count), verify, 10)).toMatchObject({
    ...{ ok: true, olderHeads, heads: 5 + count - olderHeads, unchecked: Math.min(count, 10) },
  })
  expect(asked.map(({ length }) => length)).toEqual(sizes)
  expect(asked.flat()).toEqual(heads(count).map(({ number }) => number))
})

it('[P158] finds the one that is wrong wherever it stands', async () => {
  for (const bad of [1, 10, 11, 35]) {
    const { asked, verify } = berth(bad)
    expect(await verifyInBatches(heads(35), verify, 10)).toMatchObject({
      ok: false,
      problem: { number: bad },
    })
    expect(asked).toHaveLength(Math.ceil(bad / 10))
  }
})
