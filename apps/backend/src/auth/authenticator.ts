import { createHash, timingSafeEqual } from 'node:crypto'
import type { Store } from '../store/port.ts'
import type { Principal } from './principal.ts'

export const cookieName = 'berth_session'
export const cookieSeconds = 30 * 24 * 3600
const ticketMs = 5 * 60_000

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export interface AuthenticatorOptions {
  store: Store
  /** The token that opens everything for the one owner. */
  ownerToken: string
  owner: Principal
  now: () => number
  random: (bytes: number) => Uint8Array
}

/** Finds out who is asking: by the owner's token, or by the cookie that a login link left in a browser. */
export class Authenticator {
  readonly #options: AuthenticatorOptions
  readonly #ownerHash: Buffer

  constructor(options: AuthenticatorOptions) {
    this.#options = options
    this.#ownerHash = Buffer.from(sha256(options.ownerToken))
  }

  /** Undefined: nobody that is known. */
  async authenticate(credentials: { bearer?: string; cookie?: string }): Promise<Principal | undefined> {
    const { store, owner, now } = this.#options
    if (credentials.bearer !== undefined)
      return timingSafeEqual(Buffer.from(sha256(credentials.bearer)), this.#ownerHash) ? owner : undefined
    if (credentials.cookie === undefined) return undefined
    const grant = await store.grant('browser', sha256(credentials.cookie), now())
    return grant?.principal.id === owner.actor.id ? owner : undefined
  }

  /** A ticket that signs one browser in, once, within five minutes. */
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

  /** The value of the cookie for a ticket; undefined when the ticket is unknown, used or expired. */
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
