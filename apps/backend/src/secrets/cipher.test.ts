import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCipher, keyIdOf, SealBroken } from './cipher.ts'
import { createKeyRing, KeyMissing } from './key-ring.ts'

const key = (byte: number) => new Uint8Array(32).fill(byte)
const old = createKeyRing('a', new Map([['a', key(1)]]))
const both = createKeyRing(
  'b',
  new Map([
    ['a', key(1)],
    ['b', key(2)],
  ]),
)
const onlyNew = createKeyRing('b', new Map([['b', key(2)]]))

describe('the cipher', () => {
  it('opens what it sealed, in its own place only, and never seals twice the same', () => {
    const cipher = createCipher(old)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (plain, context) => {
        const text = plain.toWellFormed()
        const sealed = cipher.seal(text, context)
        expect(cipher.open(sealed, context)).toBe(text)
        expect(cipher.seal(text, context)).not.toBe(sealed)
        expect(() => cipher.open(sealed, `${context}x`)).toThrow(SealBroken)
      }),
      { numRuns: 40 },
    )
  })

  it('refuses what was changed anywhere, or is no seal', () => {
    const cipher = createCipher(old)
    const sealed = cipher.seal('a value that is sealed', 'c')
    for (let at = 3; at < sealed.length; at += 7) {
      const other = sealed[at] === 'A' ? 'B' : 'A'
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1)
      expect(() => cipher.open(changed, 'c')).toThrow()
    }
    for (const text of ['', 'b1', 'a value', `${sealed}=`, sealed.slice(0, -4)])
      expect(() => cipher.open(text, 'c')).toThrow(SealBroken)
  })

  it('[P171] wraps anew under the current key, after which the old one is not needed', () => {
    const sealed = createCipher(old).seal('value', 'c')
    const again = createCipher(both).rewrap(sealed, 'c')
    expect([keyIdOf(sealed), keyIdOf(again)]).toEqual(['a', 'b'])
    expect(createCipher(both).open(sealed, 'c')).toBe('value')
    expect(createCipher(onlyNew).open(again, 'c')).toBe('value')
    expect(() => createCipher(onlyNew).open(sealed, 'c')).toThrow(KeyMissing)
    expect(createCipher(both).rewrap(again, 'c')).toBe(again)
  })
})
