import { expect, it } from 'vitest'
import type { Principal } from './principal.ts'
import { refuseRevoked } from './revoked.ts'

const unused = () => Promise.reject(new Error('not used here'))

const authenticate = (issuedAt: number | undefined, revokedAt: number | undefined) => {
  const ada: Principal = {
    ...{ actor: { kind: 'user', id: 'ada' }, subjects: [{ kind: 'user', id: 'ada' }], issuedAt },
    ...{ platformAdmin: false, mayCreateProjects: false },
  }
  const store = {
    revokedBefore: async ({ kind, id }: { kind: string; id: string }) =>
      kind === 'user' && id === 'ada' ? revokedAt : 1e12,
  }
  const others = { createTicket: unused, redeem: unused, signOut: unused, authenticate: async () => ada }
  return refuseRevoked(store, others)
    .authenticate({})
    .then(
      (principal) => principal?.actor.id,
      (error) => error.code,
    )
}

it('refuses what began before the revocation, and in its second', async () => {
  expect(await authenticate(999, 1000)).toBe('unauthenticated')
  expect(await authenticate(1000, 1000)).toBe('unauthenticated')
  expect(await authenticate(1001, 1000)).toBe('ada')
  expect(await authenticate(0, undefined)).toBe('ada')
  expect(await authenticate(undefined, 1000)).toBe('ada')
})
