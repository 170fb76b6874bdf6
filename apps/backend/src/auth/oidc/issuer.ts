import { BerthError } from '@berth/contract'
import { createRemoteJWKSet, type JWTVerifyGetKey, customFetch as joseFetch } from 'jose'
import * as oidc from 'openid-client'
import { issuerFetch, issuerMs } from './issuer-fetch.ts'
import type { OidcSettings } from './oidc-settings.ts'

/** How long its discovery document is believed. */
const documentMs = 3_600_000
/** How long a failure is told again without asking. */
const failureMs = 5000
/** Seconds by which clocks may differ. */
export const clockToleranceSeconds = 60

export interface IssuerOptions {
  settings: OidcSettings
  now: () => number
  warn: (message: string) => void
}

interface Known {
  config: oidc.Configuration
  keys: JWTVerifyGetKey
  at: number
}

/** What is known of the issuer: asked of it when it is needed first, so that Berth starts while the issuer is away. */
export class Issuer {
  readonly #options: IssuerOptions
  #known: Known | undefined
  #asking: Promise<Known> | undefined
  #failedAt = -Infinity

  constructor(options: IssuerOptions) {
    this.#options = options
  }

  /** The client's configuration. Rejects with `unavailable` while the issuer can't be asked and was never. */
  async config(): Promise<oidc.Configuration> {
    return (await this.#current()).config
  }

  /** The keys that its tokens are signed with; fetched anew when a token names one that is not known. */
  async keys(): Promise<JWTVerifyGetKey> {
    return (await this.#current()).keys
  }

  async #current(): Promise<Known> {
    const { now } = this.#options
    const isFresh = this.#known !== undefined && now() - this.#known.at < documentMs
    if (this.#known !== undefined && (isFresh || this.#isFailing())) return this.#known
    if (this.#isFailing()) throw this.#away()
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    try {
      this.#known = await this.#asking
      return this.#known
    } catch (error) {
      this.#failedAt = now()
      this.#options.warn(`The issuer ${this.#options.settings.issuer} can't be used: ${reasonOf(error)}`)
      // What was known an hour ago is better than nothing.
      if (this.#known !== undefined) return this.#known
      throw this.#away()
    }
  }

  #isFailing(): boolean {
    return this.#options.now() - this.#failedAt < failureMs
  }

  #away(): BerthError {
    return new BerthError(
      'unavailable',
      `The issuer ${this.#options.settings.issuer}, which knows who people are, can't be reached or used. Try again in a moment; who is signed in already is not affected.`,
    )
  }

  async #ask(): Promise<Known> {
    const { settings, now } = this.#options
    const { issuer, clientId, clientSecret } = settings
    const isLocal = new URL(issuer).protocol === 'http:'
    const config = await oidc.discovery(
      new URL(issuer),
      clientId,
      { [oidc.clockTolerance]: clockToleranceSeconds },
      clientSecret === undefined ? oidc.None() : withSecret(clientSecret),
      {
        execute: [oidc.enableNonRepudiationChecks, ...(isLocal ? [oidc.allowInsecureRequests] : [])],
        timeout: issuerMs / 1000,
        [oidc.customFetch]: issuerFetch,
      },
    )
    const document = config.serverMetadata()
    checkAddresses(document, isLocal)
    const keys = createRemoteJWKSet(new URL(document.jwks_uri ?? ''), {
      timeoutDuration: issuerMs,
      cooldownDuration: 30_000,
      cacheMaxAge: 600_000,
      [joseFetch]: issuerFetch,
    })
    return { config, keys, at: now() }
  }
}

/** The secret in the form that the issuer takes. */
const withSecret =
  (secret: string): oidc.ClientAuth =>
  // biome-ignore lint/complexity/useMaxParams: the library's form
  (server, client, body, headers) => {
    const takesPost = server.token_endpoint_auth_methods_supported?.includes('client_secret_post') === true
    const send = takesPost ? oidc.ClientSecretPost(secret) : oidc.ClientSecretBasic(secret)
    return send(server, client, body, headers)
  }

const addresses = [
  'authorization_endpoint',
  'token_endpoint',
  'jwks_uri',
  'userinfo_endpoint',
  'end_session_endpoint',
  'device_authorization_endpoint',
] as const

const needed: readonly string[] = ['authorization_endpoint', 'token_endpoint', 'jwks_uri']

/** An issuer over https may not send secrets or people over http. */
const checkAddresses = (document: oidc.ServerMetadata, isLocal: boolean): void => {
  for (const name of addresses) {
    const address = document[name]
    if (address === undefined && !needed.includes(name)) continue
    const protocol = typeof address === 'string' && URL.canParse(address) ? new URL(address).protocol : ''
    if (protocol !== 'https:' && !(isLocal && protocol === 'http:'))
      throw new Error(`its discovery document has no https address as ${name}`)
  }
}

/** What went wrong, with the cause that the libraries put below it. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message
}
