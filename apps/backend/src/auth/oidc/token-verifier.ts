import { BerthError } from '@berth/contract'
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { BoundedCache } from '../bounded-cache.ts'
import type { Identity } from '../identity.ts'
import { sha256 } from '../sha256.ts'
import { identityOf } from './claims.ts'
import { clockToleranceSeconds, type Issuer, reasonOf } from './issuer.ts'
import type { OidcSettings } from './oidc-settings.ts'

/** Signatures that only the issuer can make: none with a shared secret, and not none at all. */
export const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
]

/** Characters of a token; many groups make it long. */
export const maxToken = 16_384
/** A token for longer than this is no token for a request, but a password. */
const maxLifetimeSeconds = 24 * 3600
/** A key that the issuer withdraws must stop to count while tokens of it are still remembered. */
const rememberedMs = 300_000
const rememberedTokens = 5000

export interface VerifiedToken {
  identity: Identity
  /** Milliseconds since 1970; 0 when the token does not say it. */
  issuedAt: number
  expiresAt: number
}

export interface TokenVerifierOptions {
  settings: OidcSettings
  issuer: Pick<Issuer, 'keys'>
  /** The local owner's id, which no claim may give. */
  owner: string
  now: () => number
}

/** Verifies JWTs of the issuer, access tokens for our audience and ID tokens for our clients. */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions
  readonly #known: BoundedCache<VerifiedToken>

  constructor(options: TokenVerifierOptions) {
    this.#options = options
    this.#known = new BoundedCache({ max: rememberedTokens, now: options.now })
  }

  /** Rejects with `unauthenticated` and the reason, or `unavailable` when the issuer's keys can't be had. */
  async verify(token: string): Promise<VerifiedToken> {
    const key = sha256(token)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const { settings, owner, now } = this.#options
    const claims = await this.#claims(token)
    const verified = {
      identity: identityOf(claims, { names: settings.claims, owner }),
      issuedAt: (claims.iat ?? 0) * 1000,
      expiresAt: claims.exp * 1000,
    }
    this.#known.set(key, verified, Math.min(verified.expiresAt, now() + rememberedMs))
    return verified
  }

  async #claims(token: string): Promise<JWTPayload & { exp: number }> {
    const { settings, issuer, now } = this.#options
    if (token.length > maxToken) throw refusal(`The token is longer than ${maxToken} characters.`)
    checkType(token)
    const keys = await issuer.keys()
    const { payload } = await jwtVerify(token, keys, {
      algorithms,
      issuer: settings.issuer,
      requiredClaims: ['exp', 'aud'],
      clockTolerance: clockToleranceSeconds,
      currentDate: new Date(now()),
    }).catch((error: unknown) => {
      throw explained(error)
    })
    checkLifetime(payload, now() / 1000)
    checkAudience(payload, settings)
    return payload as JWTPayload & { exp: number }
  }
}

/** Tokens for other purposes say so in their type. */
const checkType = (token: string): void => {
  let type: string | undefined
  try {
    type = decodeProtectedHeader(token).typ
  } catch {
    throw refusal('The token is no valid JWT.')
  }
  if (type !== undefined && !['jwt', 'at+jwt', 'application/at+jwt'].includes(String(type).toLowerCase()))
    throw refusal(`A token of the type ${JSON.stringify(type)} can't be used here.`)
}

const checkLifetime = ({ exp = 0, iat, events }: JWTPayload, now: number): void => {
  if (iat !== undefined && iat > now + clockToleranceSeconds)
    throw refusal('The token is from the future: compare the clocks of Berth and of the issuer.')
  if (exp - Math.min(iat ?? now, now) > maxLifetimeSeconds + clockToleranceSeconds)
    throw refusal('The token is good for longer than a day. Use one that is renewed, or an API key.')
  if (events !== undefined) throw refusal('A token that tells of an event can’t be used here.')
}

/**
 * A token for one of the configured audiences is good from any client of the issuer, since it was made for Berth. One for a
 * client of ours (an ID token, mostly) must have been given to a client of ours.
 */
const checkAudience = (payload: JWTPayload, settings: OidcSettings): void => {
  const audiences = [payload.aud ?? []].flat()
  if (audiences.some((audience) => settings.audiences.includes(audience))) return
  const clients = [settings.clientId, settings.cliClientId].filter((id) => id !== undefined)
  const party = payload.azp ?? payload.client_id
  const isOurs = audiences.some((audience) => clients.includes(audience))
  const isForUs = party === undefined ? audiences.length === 1 : clients.includes(String(party))
  if (!isOurs || !isForUs)
    throw refusal(
      `The token is for another audience (${audiences.map((audience) => JSON.stringify(audience)).join(', ')}), so it can't be used here.`.slice(
        0,
        500,
      ),
    )
}

/** What a person can do something about; `unavailable`: the issuer's keys can't be had. */
export const explained = (error: unknown): BerthError => {
  if (error instanceof errors.JWTExpired) return refusal('The token has expired. Sign in again.')
  if (error instanceof errors.JWTClaimValidationFailed)
    return refusal(
      error.claim === 'nbf'
        ? 'The token is not valid yet: compare the clocks of Berth and of the issuer.'
        : `The token's claim "${error.claim}" is not as it has to be: ${error.message}.`,
    )
  if (error instanceof errors.JOSEAlgNotAllowed)
    return refusal('The token is signed in a way that is not taken here.')
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
    return refusal('The token’s signature is not of a key that the issuer has now.')
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid)
    return refusal('The token is no valid JWT.')
  if (error instanceof errors.JOSENotSupported)
    return refusal('The token is signed in a way that is not known.')
  return new BerthError('unavailable', `The issuer's keys can't be had now: ${reasonOf(error)}`.slice(0, 500))
}

const refusal = (detail: string) => new BerthError('unauthenticated', detail)
