import { timingSafeEqual } from 'node:crypto'
import type { Store } from '../store/port.ts'
import { type Authenticator, type Credentials, cookieSeconds } from './authenticator.ts'
import type { Principal } from './principal.ts'
import { sha256 } from './sha256.ts'

const ticketMs = 5 * 60_000

export interface OwnerAuthenticatorOptions {
  store: Store
  /** The token that opens everything for the one owner. */
  ownerToken: string
  /** Opens the metrics and nothing else. Default: none does. */
  metricsToken?: string
  owner: { id: string; name: string }
  now: () => number
  random: (bytes: number) => Uint8Array
}

const hashed = (token: string) => Buffer.from(sha256(token))

const metricsReader: Principal = {
  actor: { kind: 'service', id: 'metrics' },
  subjects: [],
  platformAdmin: false,
  mayCreateProjects: false,
  readsMetrics: true,
}

/**
 * Knows the owner, by a token or by the cookie that a login link left in a browser; and, by a token of its own, who
 * collects metrics.
 */
export class OwnerAuthenticator implements Authenticator {
  readonly #options: OwnerAuthenticatorOptions
  readonly #ownerHash: Buffer
  readonly #metricsHash: Buffer | undefined
  readonly #owner: Principal

  constructor(options: OwnerAuthenticatorOptions) {
    this.#options = options
    this.#ownerHash = hashed(options.ownerToken)
    this.#owner = {
      actor: { kind: 'user', ...options.owner },
      subjects: [{ kind: 'user', id: options.owner.id }],
      platformAdmin: true,
      mayCreateProjects: true,
      unlimited: true,
    }
    this.#metricsHash = options.metricsToken === undefined ? undefined : hashed(options.metricsToken)
  }

  async authenticate({ bearer, cookie }: Credentials): Promise<Principal | undefined> {
    const { store, now } = this.#options
    const owner = this.#owner
    if (bearer !== undefined) {
      if (timingSafeEqual(hashed(bearer), this.#ownerHash)) return owner
      const known = this.#metricsHash !== undefined && timingSafeEqual(hashed(bearer), this.#metricsHash)
      return known ? metricsReader : undefined
    }
    if (cookie === undefined) return undefined
    const grant = await store.grant('browser', sha256(cookie), now())
    return grant?.principal.id === owner.actor.id ? owner : undefined
  }

  async createTicket(principal: Principal): Promise<{ ticket: string; expiresAt: number }> {
    const ticket = this.#secret()
    const expiresAt = this.#options.now() + ticketMs
    await this.#options.store.putGrant({
      kind: 'ticket',
      hash: sha256(ticket),
      principal: principal.actor,
      expiresAt,
    })
    return { ticket, expiresAt }
  }

  async redeem(ticket: string): Promise<string | undefined> {
    const { store, now } = this.#options
    const grant = await store.takeGrant('ticket', sha256(ticket), now())
    if (grant === undefined) return undefined
    const cookie = this.#secret()
    const expiresAt = now() + cookieSeconds * 1000
    await store.putGrant({ kind: 'browser', hash: sha256(cookie), principal: grant.principal, expiresAt })
    return cookie
  }

  async signOut(cookie: string): Promise<void> {
    await this.#options.store.removeGrant('browser', sha256(cookie))
  }

  #secret(): string {
    return Buffer.from(this.#options.random(32)).toString('base64url')
  }
}
