import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { knownSubject, userIdOf } from './access.ts'

describe('as which a user is known', () => {
  it.each([
    ['ADA@Example.com', 'ada@example.com'],
    ['ada', 'ada'],
    ['Ada', 'Ada'],
    ['kubernetes:Jane@Example.com', 'kubernetes:Jane@Example.com'],
    ['Two@Signs@Example.com', 'Two@Signs@Example.com'],
    ['No Address@Example.com', 'No Address@Example.com'],
  ])('%s: %s', (given, expected) => {
    expect(userIdOf(given)).toBe(expected)
  })

  it('is the same however an address is written, and settled', () => {
    fc.assert(
      fc.property(fc.emailAddress(), (address) => {
        expect(userIdOf(address.toUpperCase())).toBe(userIdOf(address))
        expect(userIdOf(userIdOf(address))).toBe(userIdOf(address))
      }),
    )
  })

  it('says nothing about groups, keys and programs', () => {
    for (const kind of ['group', 'key', 'service'] as const)
      expect(knownSubject({ kind, id: 'Team@Example.com' }).id).toBe('Team@Example.com')
  })
})
