import { BerthError } from '@berth/contract'
import type { Store } from '../../store/port.ts'
import type { Authenticator, Credentials } from '../authenticator.ts'
import { BoundedCache } from '../bounded-cache.ts'
import type { Principal } from '../principal.ts'
import { refuseRevoked } from '../revoked.ts'
import { principalOf, type RightsSettings } from '../rights.ts'
import { sha256 } from '../sha256.ts'
import { claimedIssuer, issuedAt } from '../token-form.ts'
import type { TokenReview, TokenReviewer } from './token-reviewer.ts'

export interface TokenReviewAuthenticatorOptions {
  reviewer: Pick<TokenReviewer, 'review'>
  /** Tokens for anything else are refused: those that pods have by default are for the API server. */
  audience: string
  /** Issuers whose tokens are another kind. */
  others: readonly string[]
  rights: RightsSettings
  store: Pick<Store, 'revokedBefore'>
  now: () => number
  /** Hears why the cluster could not be asked: who signs in can do nothing about it. */
  warn: (reason: string) => void
}

const goodMs = 60_000
const badMs = 5000
const remembered = 2000
const maxToken = 16_384

/**
 * Knows service accounts and users of a Kubernetes cluster, by tokens that the cluster itself reviews. A service account is
 * itself and nobody else, whatever its annotations say (S5); names that begin with `system:` are none of ours (S6).
 */
export class TokenReviewAuthenticator implements Authenticator {
  readonly #options: TokenReviewAuthenticatorOptions
  readonly #known: BoundedCache<Principal | BerthError>

  constructor(options: TokenReviewAuthenticatorOptions) {
    this.#options = options
    this.#known = new BoundedCache({ max: remembered, now: options.now })
  }

  async authenticate({ bearer }: Credentials): Promise<Principal | undefined> {
    const issuer = bearer === undefined ? undefined : claimedIssuer(bearer)
    if (bearer === undefined || issuer === undefined || this.#options.others.includes(issuer))
      return undefined
    const key = sha256(bearer)
    const known = this.#known.get(key) ?? (await this.#ask(bearer, key))
    if (known instanceof BerthError) throw known
    const [subject] = known.subjects
    if (subject !== undefined) await refuseRevoked(this.#options.store, subject, issuedAt(bearer))
    return known
  }

  async #ask(token: string, key: string): Promise<Principal | BerthError> {
    const { reviewer, audience, now, warn } = this.#options
    if (token.length > maxToken) return refusal(`The token is longer than ${maxToken} characters.`)
    const review = await reviewer.review(token, audience).catch((error: unknown) => {
      warn(error instanceof Error ? error.message : String(error))
      throw new BerthError(
        'unavailable',
        'The cluster, which knows this token, does not answer now. Try again.',
      )
    })
    const outcome = this.#outcomeOf(review)
    this.#known.set(key, outcome, now() + (outcome instanceof BerthError ? badMs : goodMs))
    return outcome
  }

  #outcomeOf(review: TokenReview): Principal | BerthError {
    const { audience, rights } = this.#options
    if (!review.authenticated)
      return refusal(
        `The cluster does not take this token: it has expired, is of another cluster, or is not for the audience ${JSON.stringify(audience)}.`,
      )
    if (!review.audiences.includes(audience))
      return refusal(`The token is not for the audience ${JSON.stringify(audience)}.`)
    const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(review.user) ?? []
    if (namespace !== undefined && name !== undefined)
      return principalOf({ kind: 'service', id: `kubernetes:${namespace}:${name}` }, [], rights)
    const isUsable = !review.user.startsWith('system:') && review.user !== '' && review.user.length <= 180
    if (!isUsable) return refusal('A token of this user of the cluster can’t be used here.')
    const groups = review.groups.filter((group) => !group.startsWith('system:') && group.length <= 180)
    return principalOf(
      { kind: 'user', id: `kubernetes:${review.user}` },
      groups.slice(0, 250).map((group) => `kubernetes:${group}`),
      rights,
    )
  }
}

const refusal = (detail: string) => new BerthError('unauthenticated', detail)
