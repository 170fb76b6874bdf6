import type { Configuration, TokenEndpointResponse, TokenEndpointResponseHelpers } from 'openid-client'
import { ExitError } from '../exit-code.ts'
import type { Login } from './stored-logins.ts'

/** Loaded only when somebody signs in or a token is renewed: other commands should start at once. */
export const oidc = () => import('openid-client')

type OidcLogin = Extract<Login, { kind: 'oidc' }>

export const isLoopbackUrl = (url: string): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(url).hostname)

/** The issuer, as the command line's public client sees it. */
export const discover = async (issuer: string, clientId: string): Promise<Configuration> => {
  const client = await oidc()
  const isLocal = isLoopbackUrl(issuer) && issuer.startsWith('http:')
  if (!isLocal && !issuer.startsWith('https:'))
    throw new ExitError('refused', `The issuer ${issuer} has no https address, so nothing is sent to it.`)
  try {
    return await client.discovery(new URL(issuer), clientId, { [client.clockTolerance]: 60 }, client.None(), {
      execute: [client.enableNonRepudiationChecks, ...(isLocal ? [client.allowInsecureRequests] : [])],
      timeout: 15,
    })
  } catch (error) {
    throw new ExitError('unreachable', `The issuer ${issuer} can't be used: ${reason(error)}`)
  }
}

/** What is kept of an issuer's answer. The ID token names the person, whatever the issuer's access tokens are like. */
export const loginOf = (
  place: { issuer: string; clientId: string },
  tokens: TokenEndpointResponse & TokenEndpointResponseHelpers,
  former?: OidcLogin,
): OidcLogin => {
  const claims = tokens.claims()
  const token = tokens.id_token
  if (token === undefined || claims === undefined)
    throw new ExitError('refused', 'The issuer gave no ID token, which is what says who you are.')
  const refresh = tokens.refresh_token ?? former?.refresh
  return { kind: 'oidc', ...place, token, expiresAt: claims.exp * 1000, ...(refresh && { refresh }) }
}

export const reason = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { error: code, error_description: text } = error as { error?: string; error_description?: string }
  if (code !== undefined) return text === undefined ? code : `${code}: ${text}`
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
