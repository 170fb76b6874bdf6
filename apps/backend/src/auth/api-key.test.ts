import { randomBytes } from 'node:crypto'
import { keyId } from '@berth/contract'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { keyIdIn, makeApiKey, prefixOf, secretOf } from './api-key.ts'

const made = () => makeApiKey(1_800_000_000_000, randomBytes)

it('is known by its form, with its id in it', () => {
  const { id, secret } = made()
  expect(keyId.safeParse(id).success).toBe(true)
  expect(secret).toMatch(/^brt_key_[0-9a-z]{26}_[A-Za-z0-9_-]{43}[0-9a-f]{8}$/)
  expect(keyIdIn(secret)).toBe(id)
  expect(secret.startsWith(`${prefixOf(id)}_`)).toBe(true)
})

it('has another secret each time, for the same id', () => {
  const { id, secret } = made()
  const other = secretOf(id, randomBytes)
  expect(other).not.toBe(secret)
  expect(keyIdIn(other)).toBe(id)
})

it('is not taken for one when a character is wrong', () => {
  const { secret } = made()
  fc.assert(
    fc.property(fc.nat({ max: secret.length - 1 }), fc.constantFrom(...'0a-_Zz9. \n'), (at, character) => {
      fc.pre(secret[at] !== character)
      expect(keyIdIn(secret.slice(0, at) + character + secret.slice(at + 1))).toBeUndefined()
    }),
  )
})

it.each(['', 'brt_key_', 'brt_owner_x', '__proto__', 'eyJhbGciOiJub25lIn0.e30.'])('is not %j', (text) => {
  expect(keyIdIn(text)).toBeUndefined()
})
