import type { Actor } from '@berth/contract'
import type { AuditDraft } from '../../store/audit-store.ts'
import type { Store } from '../../store/port.ts'
import type { Principal } from '../principal.ts'
import { sha256 } from '../sha256.ts'

const ticketMs = 5 * 60_000
export const ownerCookieSeconds = 30 * 24 * 3600

export interface LoginLinksOptions {
  store: Pick<Store, 'putGrant' | 'takeGrant' | 'removeGrant' | 'audited'>
  now: () => number
  random: (bytes: number) => Uint8Array
}

/** Signs browsers of the owner in, by a link that works once. */
export class LoginLinks {
  readonly #options: LoginLinksOptions

  constructor(options: LoginLinksOptions) {
    this.#options = options
  }

  /** A ticket that signs one browser in, once, within five minutes. `store`: the one that records the request. */
  async createTicket(
    principal: Principal,
    store: Pick<Store, 'putGrant'> = this.#options.store,
  ): Promise<{ ticket: string; expiresAt: number }> {
    const ticket = this.#secret()
    const expiresAt = this.#options.now() + ticketMs
    await store.putGrant({
      kind: 'ticket',
      hash: sha256(ticket),
      principal: principal.actor,
      expiresAt,
    })
    return { ticket, expiresAt }
  }

  /** The value of the cookie for a ticket; undefined when the ticket is unknown, used or expired. `audit`: its entry. */
  async redeem(ticket: string, audit: (actor: Actor) => AuditDraft): Promise<string | undefined> {
    const { store, now } = this.#options
    const grant = await store.takeGrant('ticket', sha256(ticket), now())
    if (grant === undefined) return undefined
    const cookie = this.#secret()
    const expiresAt = now() + ownerCookieSeconds * 1000
    const audited = store.audited(audit(grant.principal))
    await audited.putGrant({ kind: 'browser', hash: sha256(cookie), principal: grant.principal, expiresAt })
    return cookie
  }

  async signOut(cookie: string, store: Pick<Store, 'removeGrant'> = this.#options.store): Promise<void> {
    await store.removeGrant('browser', sha256(cookie))
  }

  #secret(): string {
    return Buffer.from(this.#options.random(32)).toString('base64url')
  }
}
