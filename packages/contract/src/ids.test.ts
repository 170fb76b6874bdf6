import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  blockId,
  type IdKind,
  idPrefixes,
  idTime,
  idToUuid,
  makeId,
  promptId,
  requestId,
  sessionId,
  turnId,
  turnMessageUuid,
} from './ids.ts'

const schemas = { session: sessionId, turn: turnId, prompt: promptId, request: requestId, block: blockId }
const kinds = fc.constantFrom(...(Object.keys(idPrefixes) as IdKind[]))
const times = fc.nat(2 ** 48 - 1)
const random = fc.uint8Array({ minLength: 10, maxLength: 10 })

describe('makeId', () => {
  it('makes ids of its own kind only', () => {
    fc.assert(
      fc.property(kinds, times, random, (kind, now, bytes) => {
        const id = makeId(kind, now, bytes)
        for (const [other, schema] of Object.entries(schemas))
          expect(schema.safeParse(id).success).toBe(other === kind)
      }),
    )
  })

  it('keeps the time, and sorts by it', () => {
    fc.assert(
      fc.property(times, times, random, random, (a, b, left, right) => {
        const ids = [makeId('session', a, left), makeId('session', b, right)]
        expect(ids.map(idTime)).toEqual([a, b])
        if (a !== b) expect([...ids].sort()[0]).toBe(a < b ? ids[0] : ids[1])
      }),
    )
  })

  it('holds a UUID of version 7 with all the randomness', () => {
    const id = makeId('turn', 0x0123456789ab, new Uint8Array(10).fill(0xff))
    expect(idToUuid(id)).toBe('01234567-89ab-7fff-bfff-ffffffffffff')
    fc.assert(
      fc.property(times, random, (now, bytes) => {
        expect(idToUuid(makeId('turn', now, bytes))).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        )
      }),
    )
  })
})

it.each([
  '',
  'ses_',
  'ses_01k1111111111111111111111',
  'ses_01k111111111111111111111111',
  'ses_81k11111111111111111111111',
  'ses_01K11111111111111111111111',
  'ses_01k1111111111111111111111l',
  'ses_01k11111111111111111111111\n',
  'trn_01k11111111111111111111111',
  '../01k11111111111111111111111',
])('refuses %j as the id of a session', (id) => {
  expect(sessionId.safeParse(id).success).toBe(false)
})

it('gives each attempt of a turn a uuid of its own, the first the turn’s', () => {
  fc.assert(
    fc.property(times, random, (now, bytes) => {
      const turn = makeId('turn', now, bytes)
      const uuids = [1, 2, 3].map((attempt) => turnMessageUuid(turn, attempt))
      expect(uuids[0]).toBe(idToUuid(turn))
      expect(new Set(uuids).size).toBe(3)
    }),
  )
})
