import { BerthError, isBerthError } from '@berth/contract'
import type { FastifyRequest } from 'fastify'
import { cookiesOf } from '../auth/browser/cookies.ts'
import type { Principal } from '../auth/principal.ts'
import { sha256 } from '../auth/sha256.ts'
import type { Deps } from './deps.ts'
import { isLoopbackHost } from './guard.ts'

type Parts = Pick<Deps, 'authenticator' | 'auth' | 'publicUrl'>

/** Who sends a request, by its bearer token or else its cookie; undefined: it has neither. */
export const identify = async (deps: Parts, request: FastifyRequest): Promise<Principal | undefined> => {
  const bearer = bearerOf(request)
  const cookie = bearer === undefined ? sessionCookieOf(deps, request) : undefined
  if (bearer === undefined) return deps.authenticator.authenticate({ cookie, address: request.ip })
  const { tokens } = deps.auth.throttles
  const hash = sha256(bearer)
  tokens.check(request.ip, hash)
  try {
    const principal = await deps.authenticator.authenticate({ bearer, address: request.ip })
    tokens.succeeded(hash)
    return principal
  } catch (error) {
    if (isBerthError(error) && error.code === 'unauthenticated') tokens.failed(request.ip)
    throw error
  }
}

/** The cookies that this browser has from us: over https they have a prefix that only https can give. */
export const browserCookies = ({ publicUrl }: Pick<Deps, 'publicUrl'>, request: FastifyRequest) => {
  const isPublic = publicUrl().startsWith('https:') && !isLoopbackHost(request.host)
  return cookiesOf(request.protocol === 'https' || isPublic)
}

export const sessionCookieOf = (deps: Pick<Deps, 'publicUrl'>, request: FastifyRequest): string | undefined =>
  request.cookies[browserCookies(deps, request).session]

const bearerOf = ({ raw, headers }: FastifyRequest): string | undefined => {
  if (headers.authorization === undefined) return undefined
  // Of two, a proxy may have looked at the other one.
  const names = raw.rawHeaders.filter((_, i) => i % 2 === 0)
  if (names.filter((name) => name.toLowerCase() === 'authorization').length > 1)
    throw new BerthError('unauthenticated', 'The header Authorization was sent twice. Send it once.')
  const token = /^Bearer (\S+)$/i.exec(headers.authorization)?.[1]
  if (token === undefined)
    throw new BerthError('unauthenticated', 'Send the token as `Authorization: Bearer …`.')
  return token
}
