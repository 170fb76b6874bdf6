import { BerthError, memberKinds } from '@berth/contract'
import type { KeyStore } from '../store/key-store.ts'
import type { Authenticator } from './authenticator.ts'
import type { Principal } from './principal.ts'

/**
 * Refuses credentials that began before everything of their principal was revoked, however long they would still count. Those
 * of which nobody knows when they began, as of API keys, are revoked themselves.
 */
export const refuseRevoked = (
  store: Pick<KeyStore, 'revokedBefore'>,
  others: Authenticator,
): Authenticator => ({
  ...forwarding(others),
  authenticate: async (credentials) => {
    const principal = await others.authenticate(credentials)
    if (principal === undefined || (await isRevoked(store, principal)) === false) return principal
    throw new BerthError('unauthenticated', 'An administrator has ended everything of yours. Sign in again.')
  },
})

const isRevoked = async (
  store: Pick<KeyStore, 'revokedBefore'>,
  { actor, issuedAt }: Principal,
): Promise<boolean> => {
  const kind = memberKinds.find((known) => known === actor.kind)
  if (issuedAt === undefined || kind === undefined) return false
  const at = await store.revokedBefore({ kind, id: actor.id })
  // Tokens tell the second in which they were made: one of that second may be older.
  return at !== undefined && issuedAt <= at
}

const forwarding = (others: Authenticator): Omit<Authenticator, 'authenticate'> => ({
  createTicket: (principal) => others.createTicket(principal),
  redeem: (ticket) => others.redeem(ticket),
  signOut: (cookie) => others.signOut(cookie),
})
