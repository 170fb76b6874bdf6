import type { Store } from '../../store/port.ts'
import type { Authenticator, Credentials } from '../authenticator.ts'
import type { Principal } from '../principal.ts'
import { refuseRevoked } from '../revoked.ts'
import { personOf, type RightsSettings } from '../rights.ts'
import { claimedIssuer } from '../token-form.ts'
import type { TokenVerifier } from './token-verifier.ts'

export interface JwtAuthenticatorOptions {
  issuer: string
  verifier: Pick<TokenVerifier, 'verify'>
  rights: RightsSettings
  store: Pick<Store, 'revokedBefore'>
}

/** Knows people by JWTs of the configured issuer. */
export class JwtAuthenticator implements Authenticator {
  readonly #options: JwtAuthenticatorOptions

  constructor(options: JwtAuthenticatorOptions) {
    this.#options = options
  }

  async authenticate({ bearer }: Credentials): Promise<Principal | undefined> {
    const { issuer, verifier, rights, store } = this.#options
    if (bearer === undefined || claimedIssuer(bearer) !== issuer) return undefined
    const { identity, issuedAt, expiresAt } = await verifier.verify(bearer)
    await refuseRevoked(store, { kind: 'user', id: identity.user }, issuedAt)
    return { ...personOf(identity, rights), expiresAt }
  }
}
