import { BerthError } from '@berth/contract'
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import type { IssuerLogout } from '../../store/browser-session-store.ts'
import { sha256 } from '../sha256.ts'
import { sessionIdOf } from './claims.ts'
import { clockToleranceSeconds, type Issuer } from './issuer.ts'
import type { OidcSettings } from './oidc-settings.ts'
import { algorithms, explained, maxToken } from './token-verifier.ts'

/** The event that a logout token tells of (OpenID Connect Back-Channel Logout 1.0, 2.4). */
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** Seconds for which one counts that does not say it itself: older issuers leave `exp` out. */
const usualSeconds = 600
/** Seconds for which one may count: so long it is remembered that it was used. */
const maxSeconds = 24 * 3600

export interface LogoutTokenOptions {
  settings: Pick<OidcSettings, 'issuer' | 'clientId'>
  issuer: Pick<Issuer, 'keys'>
  now: () => number
}

/**
 * What an issuer tells of having ended. Rejects with `invalid_input` and the reason, or `unavailable` when the issuer's keys
 * can't be had. That it is told once is for the store to see.
 */
export const readLogoutToken = async (token: string, options: LogoutTokenOptions): Promise<IssuerLogout> => {
  const { settings, issuer, now } = options
  if (token.length > maxToken) throw refusal(`it is longer than ${maxToken} characters`)
  checkType(token)
  const keys = await issuer.keys()
  const { payload } = await jwtVerify(token, keys, {
    algorithms,
    issuer: settings.issuer,
    audience: settings.clientId,
    requiredClaims: ['iat', 'jti', 'events'],
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(now()),
  }).catch((error: unknown) => {
    const reason = explained(error)
    throw reason.code === 'unavailable' ? reason : refusal(reason.message)
  })
  return logoutOf(payload, { settings, seconds: now() / 1000 })
}

interface Rules {
  settings: Pick<OidcSettings, 'issuer'>
  /** Since 1970. */
  seconds: number
}

const logoutOf = (payload: JWTPayload, { settings, seconds }: Rules): IssuerLogout => {
  const { iat = 0, exp = iat + usualSeconds, jti, sub, sid, nonce } = payload
  if (iat > seconds + clockToleranceSeconds) throw refusal('it is from the future')
  if (exp + clockToleranceSeconds <= seconds) throw refusal('it has expired')
  if (exp - iat > maxSeconds) throw refusal('it is good for longer than a day')
  if (nonce !== undefined) throw refusal('it has a nonce, so it is a token for something else')
  if (typeof jti !== 'string' || jti === '') throw refusal('its "jti" is no text')
  if (!tellsOfLogout(payload.events)) throw refusal('it tells of no logout')
  const session = sessionIdOf(sid)
  const subject = typeof sub === 'string' && sub !== '' ? sub : undefined
  if ((sid !== undefined && session === undefined) || (sub !== undefined && subject === undefined))
    throw refusal('its "sid" or "sub" is not usable')
  if (session === undefined && subject === undefined) throw refusal('it has neither "sid" nor "sub"')
  return {
    ...{ sid: session, subject },
    token: { hash: sha256(`${settings.issuer}\n${jti}`), until: (exp + 2 * clockToleranceSeconds) * 1000 },
  }
}

const tellsOfLogout = (events: unknown): boolean => {
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, logoutEvent)) return false
  const told: unknown = (events as Record<string, unknown>)[logoutEvent]
  return typeof told === 'object' && told !== null && !Array.isArray(told)
}

/** Older issuers name no type, or that of any JWT. Access tokens are none, whatever they claim. */
const checkType = (token: string): void => {
  try {
    const { typ = 'jwt' } = decodeProtectedHeader(token)
    if (['jwt', 'logout+jwt', 'application/logout+jwt', 'logout'].includes(String(typ).toLowerCase())) return
  } catch {
    // Said below: it has no header that could be read.
  }
  throw refusal('it is no JWT of the type logout+jwt')
}

const refusal = (reason: string) => {
  const message = reason.slice(0, 500)
  return new BerthError('invalid_input', `The logout token is not valid: ${message}`, [
    { field: 'body.logout_token', message },
  ])
}
