import { isBerthError } from '@berth/contract'
import type { Clock } from '@berth/runtime'
import * as oidc from 'openid-client'
import type { Logger } from 'pino'
import { every } from '../../every.ts'
import type { Cipher } from '../../secrets/cipher.ts'
import type { BrowserSessionRow } from '../../store/browser-session-store.ts'
import type { Store } from '../../store/port.ts'
import type { Identity } from '../identity.ts'
import { type Issuer, reasonOf } from '../oidc/issuer.ts'
import type { OidcSettings } from '../oidc/oidc-settings.ts'
import { identityOfTokens } from '../oidc/token-claims.ts'
import { browserTimes } from './browser-times.ts'
import { openTokens, sealTokens } from './kept-tokens.ts'

export interface RefresherOptions {
  store: Pick<Store, 'claimBrowserSessions' | 'refreshBrowserSession' | 'removeBrowserSession'>
  settings: OidcSettings
  issuer: Pick<Issuer, 'config'>
  cipher: Cipher
  owner: string
  clock: Clock
  log: Logger
}

/** Between two looks for sessions that are due. */
const lookMs = 5000
const batch = 20

/** Asks the issuer again, every few minutes, who the signed-in people are, so that what it takes away is gone here too. */
export class Refresher {
  readonly #options: RefresherOptions
  #stop: (() => Promise<void>) | undefined
  #closed = false

  constructor(options: RefresherOptions) {
    this.#options = options
  }

  start(): void {
    const { clock, log } = this.#options
    this.#stop = every({ clock, ms: lookMs, later: true }, () =>
      this.refreshDue().catch((error) => log.warn({ err: error }, 'Browser sessions could not be refreshed')),
    )
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#stop?.()
  }

  /** Asks about every session that is due and that no other backend asks about. */
  async refreshDue(): Promise<void> {
    const { store, clock } = this.#options
    for (;;) {
      const now = clock.now()
      const due = await store.claimBrowserSessions({ now, until: now + browserTimes.claim, limit: batch })
      await Promise.all(due.map((session) => this.#refresh(session)))
      if (due.length < batch || this.#closed) return
    }
  }

  async #refresh(session: BrowserSessionRow): Promise<void> {
    const { store, cipher, log, clock } = this.#options
    const { hash, refreshAt: claimedUntil = 0 } = session
    const known = openTokens(cipher, hash, session.sealed)
    // Without a token nobody can be asked: its key is gone.
    const outcome = known.refresh === undefined ? 'over' : await this.#ask(session, known.refresh)
    if (outcome === 'over') return void (await store.removeBrowserSession(hash))
    if (outcome === 'away') {
      const { identity, sealed = '' } = session
      const refreshAt = clock.now() + browserTimes.retry
      return void (await store.refreshBrowserSession(hash, { claimedUntil, identity, sealed, refreshAt }))
    }
    const { identity, refresh = known.refresh, id = known.id } = outcome
    const sealed = sealTokens(cipher, hash, { refresh, id })
    const refreshAt = clock.now() + browserTimes.refresh
    const isKept = await store.refreshBrowserSession(hash, { claimedUntil, identity, sealed, refreshAt })
    if (!isKept) log.debug('A browser session ended, or was taken over, while the issuer was asked')
  }

  /** `over`: the issuer does not know the account any more, or it may not come in; `away`: it can't be asked now. */
  async #ask(session: BrowserSessionRow, token: string) {
    const { issuer, log } = this.#options
    try {
      const config = await issuer.config()
      const tokens = await oidc.refreshTokenGrant(config, token)
      const told = tokens.claims()?.sub
      if (told !== undefined && told !== session.subject) return 'over'
      const identity = await this.#identity(session, { config, tokens })
      return { identity, refresh: tokens.refresh_token, id: tokens.id_token }
    } catch (error) {
      const isOver =
        (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') ||
        (isBerthError(error) && error.code === 'unauthenticated')
      log.info(
        { reason: reasonOf(error) },
        isOver ? 'The issuer ended a session' : 'The issuer did not answer',
      )
      return isOver ? 'over' : 'away'
    }
  }

  /** The token that was used is gone by now: whatever else fails, the new one must be kept. */
  async #identity(
    { identity, subject }: BrowserSessionRow,
    { config, tokens }: Refreshed,
  ): Promise<Identity> {
    const { settings, owner, log } = this.#options
    const canAsk = config.serverMetadata().userinfo_endpoint !== undefined
    if (tokens.claims() === undefined && !canAsk) return identity
    try {
      const rules = { names: settings.claims, owner, subject }
      return (await identityOfTokens(config, tokens, rules)).identity
    } catch (error) {
      if (isBerthError(error)) throw error
      log.info({ reason: reasonOf(error) }, 'The issuer did not say who somebody is')
      return identity
    }
  }
}

interface Refreshed {
  config: oidc.Configuration
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers
}
