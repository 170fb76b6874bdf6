import { createHmac } from 'node:crypto'
import { BerthError } from '@berth/contract'
import * as oidc from 'openid-client'
import type { Cipher } from '../../secrets/cipher.ts'
import type { AuditDraft } from '../../store/audit-store.ts'
import type { Store } from '../../store/port.ts'
import type { Identity } from '../identity.ts'
import { type Issuer, reasonOf } from '../oidc/issuer.ts'
import { readLogoutToken } from '../oidc/logout-token.ts'
import type { OidcSettings } from '../oidc/oidc-settings.ts'
import { identityOfTokens, type TokenIdentity } from '../oidc/token-claims.ts'
import { sha256 } from '../sha256.ts'
import { personPrefix } from './browser-authenticator.ts'
import { browserTimes } from './browser-times.ts'
import { openTokens, sealTokens } from './kept-tokens.ts'
import { ownPath } from './own-path.ts'

export interface SignInOptions {
  store: Pick<Store, 'putGrant' | 'takeGrant' | 'removeBrowserSession' | 'audited'>
  settings: OidcSettings
  issuer: Issuer
  cipher: Cipher
  /** Where people reach Berth. */
  publicUrl: () => string
  /** The local owner's id, which no claim may give. */
  owner: string
  now: () => number
  random: (bytes: number) => Uint8Array
}

/** A sign-in that was begun: where the browser goes, and what it has to bring back. */
export interface BegunSignIn {
  url: string
  state: string
  cookie: string
}

/** The browser has come back. */
export interface FinishRequest {
  /** What the issuer sent along. */
  query: string
  state: string
  /** What `begin` left in the browser. */
  cookie?: string
  /** The browser's session so far, which ends. */
  former?: string
  /** The entry that the new session leaves in the audit. */
  audit: (identity: Identity) => AuditDraft
}

export interface DoneSignIn {
  identity: Identity
  /** The value of the session's cookie. */
  cookie: string
  seconds: number
  /** A path of our own. */
  returnTo: string
}

const callbackPath = '/login/callback'
/** Where people land when nobody said where they came from. */
export const home = '/docs'

/**
 * Signs browsers in through the issuer: authorization code with PKCE. State, nonce and verifier are made from one secret that
 * lies in a cookie, so whoever comes back is the browser that left; that it comes back once is a grant in the store.
 */
export class SignIn {
  readonly #options: SignInOptions

  constructor(options: SignInOptions) {
    this.#options = options
  }

  async begin(returnTo: string | undefined): Promise<BegunSignIn> {
    const { issuer, settings, store, now } = this.#options
    const config = await issuer.config()
    const secret = this.#secret()
    const { state, nonce, verifier } = partsOf(secret)
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: this.#callback(),
      scope: settings.scopes.join(' '),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...{ state, nonce },
    })
    await store.putGrant({
      kind: 'sign-in',
      hash: sha256(state),
      principal: { kind: 'backend', id: 'sign-in' },
      expiresAt: now() + browserTimes.signIn,
    })
    const path = Buffer.from(ownPath(returnTo, home)).toString('base64url')
    return { url: url.href, state, cookie: `${secret}.${path}` }
  }

  /** Rejects with `unauthenticated` when anything does not fit. */
  async finish(request: FinishRequest): Promise<DoneSignIn> {
    const { store, now } = this.#options
    const [secret = '', path = ''] = request.cookie?.split('.') ?? []
    const { state, nonce, verifier } = partsOf(secret)
    if (secret === '' || state !== request.state)
      throw refused('This sign-in was begun in another browser, or too long ago. Begin again: /login')
    if ((await store.takeGrant('sign-in', sha256(state), now())) === undefined)
      throw refused('This sign-in was finished already, or begun too long ago. Begin again: /login')
    const { tokens, who } = await this.#exchange(request.query, { state, nonce, verifier })
    if (request.former !== undefined) await store.removeBrowserSession(sha256(request.former))
    const draft = request.audit(who.identity)
    const { cookie, seconds } = await this.#keep(store.audited(draft), who, tokens)
    const returnTo = ownPath(Buffer.from(path, 'base64url').toString('utf8'), home)
    return { identity: who.identity, cookie, seconds, returnTo }
  }

  /** Ends a browser's session. Where the browser can go so that the issuer ends its own too, when it has such a place. */
  async signOut(
    cookie: string,
    store: Pick<Store, 'removeBrowserSession'> = this.#options.store,
  ): Promise<string | undefined> {
    const { issuer, cipher, publicUrl, settings } = this.#options
    const session = await store.removeBrowserSession(sha256(cookie))
    if (session === undefined) return undefined
    const { refresh, id } = openTokens(cipher, session.hash, session.sealed)
    // Signing out works while the issuer is away: it is told nothing then, and its own session goes on.
    const config = await issuer.config().catch(() => undefined)
    if (config === undefined) return undefined
    const { revocation_endpoint: canRevoke, end_session_endpoint: canEnd } = config.serverMetadata()
    // The session is over here whatever comes of it; a refresh token that lives on there has left with the row.
    if (refresh !== undefined && canRevoke !== undefined)
      await oidc.tokenRevocation(config, refresh).catch(() => undefined)
    if (canEnd === undefined) return undefined
    return oidc.buildEndSessionUrl(config, {
      post_logout_redirect_uri: `${publicUrl()}/login/signed-out`,
      client_id: settings.clientId,
      ...(id !== undefined && { id_token_hint: id }),
    }).href
  }

  /**
   * Ends the sessions that the issuer has ended, as its logout token says, and says how many. Rejects with `invalid_input` when
   * the token is not valid or was used already.
   */
  async endedByIssuer(token: string, audit: AuditDraft): Promise<number> {
    const { store } = this.#options
    const logout = await readLogoutToken(token, this.#options)
    return store.audited(audit).endBrowserSessions(logout)
  }

  async #exchange(query: string, parts: { state: string; nonce: string; verifier: string }) {
    const { issuer, settings, owner } = this.#options
    const config = await issuer.config()
    try {
      const tokens = await oidc.authorizationCodeGrant(config, new URL(`${this.#callback()}?${query}`), {
        expectedState: parts.state,
        expectedNonce: parts.nonce,
        pkceCodeVerifier: parts.verifier,
        idTokenExpected: true,
      })
      return { tokens, who: await identityOfTokens(config, tokens, { names: settings.claims, owner }) }
    } catch (error) {
      throw explained(error)
    }
  }

  async #keep(
    store: Pick<Store, 'createBrowserSession'>,
    { subject, identity, sid }: TokenIdentity,
    tokens: oidc.TokenEndpointResponse,
  ): Promise<{ cookie: string; seconds: number }> {
    const { cipher, now } = this.#options
    const cookie = `${personPrefix}${this.#secret()}`
    const hash = sha256(cookie)
    const { refresh_token: refresh, id_token: id } = tokens
    const ms = refresh === undefined ? browserTimes.withoutRefresh : browserTimes.absolute
    const at = now()
    await store.createBrowserSession({
      ...{ hash, subject, sid, identity, createdAt: at, usedAt: at, expiresAt: at + ms },
      ...(refresh !== undefined && { refreshAt: at + browserTimes.refresh }),
      sealed: sealTokens(cipher, hash, { refresh, id }),
    })
    return { cookie, seconds: ms / 1000 }
  }

  #callback(): string {
    return `${this.#options.publicUrl()}${callbackPath}`
  }

  #secret(): string {
    return Buffer.from(this.#options.random(32)).toString('base64url')
  }
}

/** What is said in the open, and what only this browser knows: none tells another. */
const partsOf = (secret: string) => {
  const part = (name: string) => createHmac('sha256', secret).update(name).digest('base64url')
  return { state: part('state'), nonce: part('nonce'), verifier: part('verifier') }
}

const refused = (detail: string) => new BerthError('unauthenticated', detail)

const explained = (error: unknown): unknown => {
  if (error instanceof BerthError) return error
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) {
    const said = error.error_description ?? ''
    const words = `${error.error}${said === '' ? '' : `: ${said}`}`
      .replace(/[^\x20-\x7e]/g, ' ')
      .slice(0, 300)
    return refused(`The issuer did not sign you in (${words}). Begin again: /login`)
  }
  if (isAway(error))
    return new BerthError('unavailable', 'The issuer does not answer now. Begin again in a moment: /login')
  return refused(
    `What the issuer answered is not valid: ${reasonOf(error)}. Begin again: /login`.slice(0, 500),
  )
}

const isAway = (error: unknown): boolean =>
  error instanceof oidc.ClientError
    ? ['OAUTH_TIMEOUT', 'OAUTH_ABORT'].includes(error.code ?? '') || /^5/.test(statusOf(error.cause))
    : error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')

const statusOf = (cause: unknown): string => (cause instanceof Response ? String(cause.status) : '')
