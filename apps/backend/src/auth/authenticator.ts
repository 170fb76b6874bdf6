import type { Principal } from './principal.ts'

/** The cookie that a login link leaves in a browser. */
export const cookieName = 'berth_session'
export const cookieSeconds = 30 * 24 * 3600

/** What a request carries; the bearer token counts before the cookie. */
export interface Credentials {
  bearer?: string
  cookie?: string
  /** Whence the request came, as far as it is known. Shown, and never a reason to trust. */
  address?: string
}

/** Finds out who is asking, and signs browsers in and out. */
export interface Authenticator {
  /** Undefined: nobody that is known. */
  authenticate(credentials: Credentials): Promise<Principal | undefined>
  /** A ticket that signs one browser in, once, within five minutes. */
  createTicket(principal: Principal): Promise<{ ticket: string; expiresAt: number }>
  /** The value of the cookie for a ticket; undefined when the ticket is unknown, used or expired. */
  redeem(ticket: string): Promise<string | undefined>
  signOut(cookie: string): Promise<void>
}
