import { BerthError } from '@berth/contract'
import type { Store } from '../../store/port.ts'
import type { Authenticator, Credentials } from '../authenticator.ts'
import type { Principal } from '../principal.ts'
import { personOf, type RightsSettings } from '../rights.ts'
import { sha256 } from '../sha256.ts'
import { browserTimes } from './browser-times.ts'

/** What cookies of people begin with whom the issuer knows; the owner's begin with nothing of the kind. */
export const personPrefix = 'usr.'

export interface BrowserAuthenticatorOptions {
  store: Pick<Store, 'grant' | 'browserSession' | 'touchBrowserSession'>
  owner: Principal
  rights: RightsSettings
  now: () => number
}

/** Knows browsers by their cookie: those of people from the issuer, and the owner's, which a login link has signed in. */
export class BrowserAuthenticator implements Authenticator {
  readonly #options: BrowserAuthenticatorOptions

  constructor(options: BrowserAuthenticatorOptions) {
    this.#options = options
  }

  async authenticate({ bearer, cookie }: Credentials): Promise<Principal | undefined> {
    if (bearer !== undefined || cookie === undefined) return undefined
    const principal = await (cookie.startsWith(personPrefix) ? this.#person(cookie) : this.#owner(cookie))
    if (principal === undefined)
      throw new BerthError('unauthenticated', 'This browser is not signed in any more. Sign in again: /login')
    return principal
  }

  async #person(cookie: string): Promise<Principal | undefined> {
    const { store, rights, now } = this.#options
    const at = now()
    const hash = sha256(cookie)
    const session = await store.browserSession(hash, { now: at, idleSince: at - browserTimes.idle })
    if (session === undefined) return undefined
    if (at - session.usedAt > browserTimes.touch) await store.touchBrowserSession(hash, at)
    return { ...personOf(session.identity, rights), expiresAt: session.expiresAt }
  }

  async #owner(cookie: string): Promise<Principal | undefined> {
    const { store, owner, now } = this.#options
    const grant = await store.grant('browser', sha256(cookie), now())
    if (grant?.principal.id !== owner.actor.id) return undefined
    return { ...owner, expiresAt: grant.expiresAt }
  }
}
