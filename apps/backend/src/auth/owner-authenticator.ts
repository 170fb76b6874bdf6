import { timingSafeEqual } from 'node:crypto'
import { BerthError } from '@berth/contract'
import type { Authenticator, Credentials } from './authenticator.ts'
import type { Principal } from './principal.ts'
import { sha256 } from './sha256.ts'

export interface OwnerAuthenticatorOptions {
  /** The token that opens everything for the one owner. */
  ownerToken: string
  /** Opens the metrics and nothing else. Default: none does. */
  metricsToken?: string
  owner: Principal
}

/** What tokens begin with that Berth made for an owner. */
const ownerPrefix = 'brt_owner_'

const hashed = (token: string) => Buffer.from(sha256(token))

const metricsReader: Principal = {
  actor: { kind: 'service', id: 'metrics' },
  subjects: [],
  platformAdmin: false,
  mayCreateProjects: false,
  readsMetrics: true,
}

export const ownerPrincipal = (owner: { id: string; name: string }): Principal => ({
  actor: { kind: 'user', ...owner },
  subjects: [{ kind: 'user', id: owner.id }],
  platformAdmin: true,
  mayCreateProjects: true,
  unlimited: true,
})

/** Knows the owner by a token; and, by a token of its own, who collects metrics. */
export class OwnerAuthenticator implements Authenticator {
  readonly #owner: Principal
  readonly #ownerHash: Buffer
  readonly #metricsHash: Buffer | undefined

  constructor({ ownerToken, metricsToken, owner }: OwnerAuthenticatorOptions) {
    this.#owner = owner
    this.#ownerHash = hashed(ownerToken)
    this.#metricsHash = metricsToken === undefined ? undefined : hashed(metricsToken)
  }

  async authenticate({ bearer }: Credentials): Promise<Principal | undefined> {
    if (bearer === undefined) return undefined
    const given = hashed(bearer)
    if (timingSafeEqual(given, this.#ownerHash)) return this.#owner
    if (this.#metricsHash !== undefined && timingSafeEqual(given, this.#metricsHash)) return metricsReader
    if (!bearer.startsWith(ownerPrefix)) return undefined
    throw new BerthError(
      'unauthenticated',
      'This is not the owner’s token of this Berth. It is in the file owner-token of the backend’s data directory.',
    )
  }
}
