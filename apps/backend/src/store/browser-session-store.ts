import type { Actor } from '@berth/contract'
import type { Identity } from '../auth/identity.ts'

/** A browser that a person signed in through the issuer. Its cookie is known by its SHA-256 only. */
export interface BrowserSessionRow {
  hash: string
  /** `sub` of the issuer: whoever the claims name, it stays the same account. */
  subject: string
  identity: Identity
  /** Milliseconds since 1970. */
  createdAt: number
  usedAt: number
  /** When it ends, however much it is used. */
  expiresAt: number
  /** When the issuer is to be asked again who this is; undefined: it can't be. */
  refreshAt?: number
  /** Tokens of the issuer, sealed. */
  sealed?: string
  /** Which of the account's sessions at the issuer it belongs to; undefined: the issuer does not say. */
  sid?: string
}

/** What an issuer has ended: one session there, or all of an account. At least one of the two is there. */
export interface IssuerLogout {
  sid?: string
  subject?: string
  /** The hash of what told of it, and until when (milliseconds since 1970) it must not be told again. */
  token: { hash: string; until: number }
}

/** The issuer's tokens for a browser, as they are kept. */
export interface SealedBrowser {
  hash: string
  sealed: string
}

/** Who is noted for what an issuer told. */
export const issuerActor = { kind: 'backend', id: 'issuer' } as const satisfies Actor

/** Browsers that are signed in; part of the store's port. `revokeSubject` ends those of a user. */
export interface BrowserSessionStore {
  createBrowserSession(row: BrowserSessionRow): Promise<void>
  /** Undefined when it is unknown, has ended, or was not used since `idleSince`. */
  browserSession(hash: string, at: { now: number; idleSince: number }): Promise<BrowserSessionRow | undefined>
  /** Notes that it is used. Idempotent; of one that is gone nothing is noted. */
  touchBrowserSession(hash: string, usedAt: number): Promise<void>
  /**
   * Takes up to `limit` sessions whose issuer is to be asked again, each by one backend only: for everybody else they are due
   * at `until` again, which is also what `refreshAt` says then.
   */
  claimBrowserSessions(query: { now: number; until: number; limit: number }): Promise<BrowserSessionRow[]>
  /** Stores what the issuer said, unless another backend has taken the session since (`claimedUntil`); says whether it was. */
  refreshBrowserSession(hash: string, news: BrowserSessionNews): Promise<boolean>
  /** How many have tokens that are sealed with a key, by the beginning of what is sealed with it. */
  browsersSealedBy(beginning: string): Promise<number>
  /** Tokens that are sealed so, at most `limit`. */
  sealedBrowsers(beginning: string, limit: number): Promise<SealedBrowser[]>
  /** Stores tokens as they were sealed anew; what was changed meanwhile stays as it is. How many were stored. */
  resealBrowsers(items: (SealedBrowser & { resealed: string })[]): Promise<number>
  /** Ends those whose tokens begin with none of these: nobody can open them. Page by page, so it keeps nobody waiting. How many. */
  endBrowsersSealedOtherwise(beginnings: string[]): Promise<number>
  /** What was removed. Idempotent. */
  removeBrowserSession(hash: string): Promise<BrowserSessionRow | undefined>
  /**
   * Removes the sessions that an issuer has ended, and says how many. Of an account, those also of which nobody knows the
   * issuer's session. Rejects with `invalid_input` when the same was told before; then nothing is removed.
   */
  endBrowserSessions(logout: IssuerLogout): Promise<number>
}

export interface BrowserSessionNews {
  claimedUntil: number
  identity: Identity
  sealed: string
  refreshAt: number
}
