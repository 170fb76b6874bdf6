import { timingSafeEqual } from 'node:crypto'
import { BerthError } from '@berth/contract'
import type { KeyCredential, KeyStore } from '../store/key-store.ts'
import { keyIdIn } from './api-key.ts'
import type { Authenticator, Credentials } from './authenticator.ts'
import type { Principal } from './principal.ts'
import { sha256 } from './sha256.ts'

export interface KeyAuthenticatorOptions {
  store: Pick<KeyStore, 'keyCredential' | 'touchKey'>
  now: () => number
  /** Told when a use could not be noted; the request goes on. */
  failed: (error: unknown) => void
}

/** A use is noted at most once in this time. */
const useMs = 60_000

/**
 * Knows API keys. A key acts as itself: it has the roles of its own memberships, and nothing of who made it, so it goes on
 * when they lose theirs, and can never do more than its role. No key is a platform admin or creates projects.
 */
export class KeyAuthenticator {
  readonly #options: KeyAuthenticatorOptions

  constructor(options: KeyAuthenticatorOptions) {
    this.#options = options
  }

  /**
   * Undefined: this is no API key. Rejects with `unauthenticated` when it is one that counts no more. Asks the store each time.
   */
  async authenticate({ bearer, address }: Credentials): Promise<Principal | undefined> {
    const id = bearer === undefined ? undefined : keyIdIn(bearer)
    if (bearer === undefined || id === undefined) return undefined
    const { store, now } = this.#options
    const key = await store.keyCredential(id)
    const until = key === undefined ? undefined : countsUntil(key, sha256(bearer), now())
    if (key === undefined || until === undefined)
      throw new BerthError(
        'unauthenticated',
        'This API key is revoked, rotated or expired. Ask an admin of its project for another.',
      )
    this.#note(key, address)
    return {
      actor: { kind: 'key', id, name: key.name },
      subjects: [{ kind: 'key', id }],
      platformAdmin: false,
      mayCreateProjects: false,
      expiresAt: until,
    }
  }

  /** Not waited for: when a key was last used is no reason to be slow, or to refuse. */
  #note({ id, lastUsedAt = 0 }: KeyCredential, address: string | undefined): void {
    const now = this.#options.now()
    if (now - lastUsedAt >= useMs)
      this.#options.store.touchKey(id, { now, address }).catch(this.#options.failed)
  }
}

/** Until when the secret with this hash counts; undefined: it doesn't. */
const countsUntil = (key: KeyCredential, hash: string, now: number): number | undefined => {
  const { previousHash, graceUntil = 0, expiresAt } = key
  if (expiresAt <= now) return undefined
  if (same(key.hash, hash)) return expiresAt
  if (previousHash === undefined || graceUntil <= now || !same(previousHash, hash)) return undefined
  return Math.min(graceUntil, expiresAt)
}

const same = (known: string, given: string): boolean =>
  known.length === given.length && timingSafeEqual(Buffer.from(known), Buffer.from(given))

/** An authenticator that knows API keys too. */
export const withKeys = (keys: KeyAuthenticator, others: Authenticator): Authenticator => ({
  authenticate: async (credentials) =>
    (await keys.authenticate(credentials)) ?? others.authenticate(credentials),
})
