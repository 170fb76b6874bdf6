import type { SignInWays } from '@berth/contract'
import type { Clock } from '@berth/runtime'
import type { Logger } from 'pino'
import type { Cipher } from '../secrets/cipher.ts'
import type { Store } from '../store/port.ts'
import type { AuthSettings } from './auth-settings.ts'
import type { Authenticator } from './authenticator.ts'
import { BrowserAuthenticator } from './browser/browser-authenticator.ts'
import { LoginLinks } from './browser/login-links.ts'
import { Refresher } from './browser/refresher.ts'
import { SignIn } from './browser/sign-in.ts'
import { chainOf } from './chain.ts'
import { Issuer } from './oidc/issuer.ts'
import { JwtAuthenticator } from './oidc/jwt-authenticator.ts'
import type { OidcSettings } from './oidc/oidc-settings.ts'
import { TokenVerifier } from './oidc/token-verifier.ts'
import { OwnerAuthenticator, ownerPrincipal } from './owner-authenticator.ts'
import { Throttle } from './throttle.ts'
import { TokenReviewAuthenticator } from './token-review/token-review-authenticator.ts'
import type { TokenReviewer } from './token-review/token-reviewer.ts'

export interface AuthParts {
  store: Store
  settings: AuthSettings
  /** Asked about tokens of a cluster, where the settings say that they are taken. */
  reviewer?: TokenReviewer
  ownerToken: string
  metricsToken?: string
  owner: { id: string; name: string }
  cipher: Cipher
  /** Where people reach Berth. */
  publicUrl: () => string
  /** Failures of an address that cost it nothing; see `Throttle`. */
  freeFailures?: number
  clock: Clock
  log: Logger
  random: (bytes: number) => Uint8Array
}

/** Who may ask, and how browsers sign in. */
export interface Auth {
  authenticator: Authenticator
  links: LoginLinks
  /** Missing: no issuer is configured. */
  signIn: SignIn | undefined
  ways: SignInWays
  /** One for tokens and one for sign-ins: a program with an old token does not keep people from signing in. */
  throttles: { tokens: Throttle; signIns: Throttle }
  start(): void
  close(): Promise<void>
}

/** Puts together every kind of credential that is configured. */
export const openAuth = (parts: AuthParts): Auth => {
  const { store, settings, clock, random } = parts
  const now = () => clock.now()
  const owner = ownerPrincipal(parts.owner)
  const { oidc, rights } = settings
  const people = oidc === undefined ? undefined : openOidc(parts, oidc)
  const kinds: Authenticator[] = [
    new OwnerAuthenticator({ ownerToken: parts.ownerToken, metricsToken: parts.metricsToken, owner }),
    ...(people?.authenticator ?? []),
    ...reviewOf(parts),
    new BrowserAuthenticator({ store, owner, rights, now }),
  ]
  const throttle = () => new Throttle({ now, free: parts.freeFailures })
  return {
    authenticator: chainOf(kinds),
    links: new LoginLinks({ store, now, random }),
    signIn: people?.signIn,
    ways: waysOf(settings),
    throttles: { tokens: throttle(), signIns: throttle() },
    start: () => people?.refresher.start(),
    close: async () => people?.refresher.close(),
  }
}

const openOidc = (parts: AuthParts, settings: OidcSettings) => {
  const { store, cipher, publicUrl, clock, log, random } = parts
  const now = () => clock.now()
  const owner = parts.owner.id
  const issuer = new Issuer({ settings, now, warn: (message) => log.warn(message) })
  const verifier = new TokenVerifier({ settings, issuer, owner, now })
  const { rights } = parts.settings
  return {
    authenticator: [new JwtAuthenticator({ issuer: settings.issuer, verifier, rights, store })],
    signIn: new SignIn({ store, settings, issuer, cipher, publicUrl, owner, now, random }),
    refresher: new Refresher({ store, settings, issuer, cipher, owner, clock, log }),
  }
}

const reviewOf = ({ settings, reviewer, clock, store, log }: AuthParts): Authenticator[] => {
  const { tokenReview, oidc, rights } = settings
  if (tokenReview === undefined || reviewer === undefined) return []
  const others = oidc === undefined ? [] : [oidc.issuer]
  const { audience } = tokenReview
  return [
    new TokenReviewAuthenticator({
      ...{ reviewer, audience, others, rights, store },
      now: () => clock.now(),
      warn: (reason) => log.warn({ reason }, 'The cluster could not be asked about a token'),
    }),
  ]
}

const waysOf = ({ oidc, tokenReview }: AuthSettings): SignInWays => ({
  ...(oidc !== undefined && {
    oidc: {
      issuer: oidc.issuer,
      scopes: [...oidc.scopes],
      ...(oidc.cliClientId !== undefined && { cliClientId: oidc.cliClientId }),
    },
  }),
  ...(tokenReview !== undefined && { kubernetes: { audience: tokenReview.audience } }),
})
