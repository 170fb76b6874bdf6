import { includesRole, memberKinds, projectRoles, type SessionAccess } from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFor, sessionRole } from './session-role.ts'

// Few names, so that they meet.
const subject = fc.record({ kind: fc.constantFrom(...memberKinds), id: fc.constantFrom('a', 'b', 'c') })
const owner = fc.record({
  kind: fc.constantFrom('user', 'key', 'service'),
  id: fc.constantFrom('a', 'b', 'c'),
})
const shares = fc.array(
  fc.record({
    kind: fc.constantFrom(...memberKinds),
    id: fc.constantFrom('a', 'b', 'c'),
    role: fc.constantFrom('viewer' as const, 'editor' as const),
  }),
  { maxLength: 4 },
)
const access = (visibility?: 'project' | 'private'): fc.Arbitrary<SessionAccess> =>
  fc.record({
    owner,
    visibility: visibility === undefined ? fc.constantFrom('project', 'private') : fc.constant(visibility),
    shares,
  })
const role = fc.constantFrom(undefined, ...projectRoles)
const reader = fc.record({ role, subjects: fc.array(subject, { maxLength: 3 }) })
const member = fc.record({
  role: fc.constantFrom(...projectRoles),
  subjects: fc.array(subject, { maxLength: 3 }),
})

const names = (subjects: readonly { kind: string; id: string }[]) =>
  new Set(subjects.map(({ kind, id }) => `${kind}:${id}`))

describe('[P160] what somebody may do with a session', () => {
  test('is never more than the role in the project, and nothing without one', () => {
    fc.assert(
      fc.property(reader, access(), (who, what) => {
        const given = sessionRole(who, what)
        if (given === undefined) return
        expect(who.role).toBeDefined()
        if (who.role !== undefined) expect(includesRole(who.role, given)).toBe(true)
      }),
    )
  })

  test('is the role in the project where the project sees it, and for its admins', () => {
    fc.assert(
      fc.property(reader, access('project'), access(), (who, open, any) => {
        expect(sessionRole(who, open)).toBe(who.role)
        expect(sessionRole({ ...who, role: 'admin' }, any)).toBe('admin')
      }),
    )
  })

  test('is nothing with a private one that is neither theirs nor shared with them', () => {
    fc.assert(
      fc.property(member, access('private'), (who, what) => {
        const mine = names(who.subjects)
        const known = [what.owner, ...what.shares].some(({ kind, id }) => mine.has(`${kind}:${id}`))
        expect(sessionRole(who, what) !== undefined).toBe(known || who.role === 'admin')
      }),
    )
  })

  test('never shrinks by one more share, name or role', () => {
    fc.assert(
      fc.property(member, access(), shares, subject, (who, what, more, name) => {
        const before = sessionRole(who, what)
        if (before === undefined) return
        const after = [
          sessionRole(who, { ...what, shares: [...what.shares, ...more] }),
          sessionRole({ ...who, subjects: [...who.subjects, name] }, what),
          sessionRole({ ...who, role: 'admin' }, what),
        ]
        for (const one of after) expect(one !== undefined && includesRole(one, before)).toBe(true)
      }),
    )
  })

  test('a removal is told to exactly those who saw the session and do no more', () => {
    fc.assert(
      fc.property(member, access(), shares, (who, before, kept) => {
        const after: SessionAccess = { ...before, visibility: 'private', shares: kept }
        const loses = sessionRole(who, before) !== undefined && sessionRole(who, after) === undefined
        expect(isFor(who, { seenBy: before, keptBy: after })).toBe(loses)
      }),
    )
  })
})
