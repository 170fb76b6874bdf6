import type { Finding } from '@berth/contract'

/** What the API server of a cluster says about a token. */
export type TokenReview =
  | { authenticated: false; reason?: string }
  | { authenticated: true; user: string; groups: readonly string[]; audiences: readonly string[] }

/** The port to a cluster's TokenReview. */
export interface TokenReviewer {
  /** Rejects when the API server can't be asked. */
  review(token: string, audience: string): Promise<TokenReview>
  /** Whether `review` may ask, for whoever diagnoses the installation. Never rejects. */
  check(): Promise<Finding>
  /** Ends its connections; what is asked meanwhile is rejected. Idempotent. */
  close(): Promise<void>
}
