import { BerthError } from '@berth/contract'
import type { Authenticator, Credentials } from './authenticator.ts'
import type { Principal } from './principal.ts'

/** Several kinds of credentials at once: the first that knows one by its form has the last word about it. */
export const chainOf = (kinds: readonly Authenticator[]): Authenticator => ({
  authenticate: async (credentials: Credentials): Promise<Principal | undefined> => {
    for (const kind of kinds) {
      const principal = await kind.authenticate(credentials)
      if (principal !== undefined) return principal
    }
    if (credentials.bearer === undefined) return undefined
    throw new BerthError(
      'unauthenticated',
      'This token is not one that opens this Berth. Look at where it comes from, or sign in anew: berth login',
    )
  },
})
