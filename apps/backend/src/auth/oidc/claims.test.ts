import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { identityOf } from './claims.ts'

const names = { user: 'email', name: 'name', groups: 'groups' }
const rules = { names, owner: 'owner' }
const ada = { email: 'ada@example.com', email_verified: true }

describe('identityOf', () => {
  it.each<[unknown, string[]]>([
    [undefined, []],
    ['one', ['one']],
    [
      ['a', 'a', ' b ', '', 7, null],
      ['a', 'b'],
    ],
    [['system:masters', 'SYSTEM:x', 'kubernetes:a', 'key_1', 'role:admin', 'owner', 'fine'], ['fine']],
    [['x'.repeat(201), 'x'.repeat(200)], ['x'.repeat(200)]],
    [['a\u202eb', 'a\nb', 'ok'], ['ok']],
    [{ a: 1 }, []],
  ])('groups %j: %j [S6]', (groups, expected) => {
    expect(identityOf({ ...ada, groups }, rules).groups).toEqual(expected)
  })

  it('takes at most 250 groups', () => {
    const groups = Array.from({ length: 400 }, (_, i) => `g${i}`)
    expect(identityOf({ ...ada, groups }, rules).groups).toHaveLength(250)
  })

  it('compares addresses in lower case, other ids as they are', () => {
    expect(identityOf({ ...ada, email: 'ADA@Example.com' }, rules).user).toBe('ada@example.com')
    const bySubject = { ...rules, names: { ...names, user: 'sub' } }
    expect(identityOf({ sub: 'Ada' }, bySubject).user).toBe('Ada')
    expect(identityOf({ sub: 'Ada@Example.com' }, bySubject).user).toBe('ada@example.com')
    expect(identityOf({ sub: 'idp|Ada@Example.com|X@Y' }, bySubject).user).toBe('idp|Ada@Example.com|X@Y')
  })

  it('never gives a reserved name, whatever the claims are [S6]', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('system:admin', ' system:x', 'Kubernetes:y', 'key_z', 'owner'),
    )
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('sub', 'groups', 'name'), fc.oneof(text, fc.array(text))),
        (claims) => {
          try {
            const found = identityOf(claims, { ...rules, names: { ...names, user: 'sub' } })
            for (const id of [found.user, ...found.groups])
              expect(id).not.toMatch(/^(system:|kubernetes:|key_|role:|owner$)/i)
          } catch (error) {
            expect(error).toMatchObject({ code: 'unauthenticated' })
          }
        },
      ),
    )
  })
})
