import type { Principal } from './principal.ts'

/** What a request carries; the bearer token counts before the cookie. */
export interface Credentials {
  bearer?: string
  cookie?: string
  /** Whence the request came, as far as it is known. Shown, and never a reason to trust. */
  address?: string
}

/**
 * Finds out who is asking, from credentials of its kind, which it knows by their form. Undefined: this is of another kind.
 * Rejects with `unauthenticated` and a reason that a person can use when it is of this kind and not good, so that it is never
 * tried as anything else; and with `unavailable` when it can't be checked now.
 */
export interface Authenticator {
  authenticate(credentials: Credentials): Promise<Principal | undefined>
}
