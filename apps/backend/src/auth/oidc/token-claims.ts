import * as oidc from 'openid-client'
import type { Identity } from '../identity.ts'
import { type ClaimRules, identityOf, sessionIdOf } from './claims.ts'

export interface TokenIdentity {
  /** `sub`: the account at the issuer. */
  subject: string
  identity: Identity
  /** Which of the account's sessions at the issuer this is, where it says so. */
  sid?: string
}

type Tokens = oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers

/**
 * Who verified tokens name. What the ID token leaves out is asked at the issuer's userinfo endpoint, where issuers put groups
 * that are too many for a token, and which is all there is when a refresh brings no ID token.
 */
export const identityOfTokens = async (
  config: oidc.Configuration,
  tokens: Tokens,
  rules: ClaimRules & { subject?: string },
): Promise<TokenIdentity> => {
  const claims = tokens.claims() as Record<string, unknown> | undefined
  const subject = rules.subject ?? String(claims?.sub ?? '')
  const { user, groups } = rules.names
  const isWhole = claims?.[user] !== undefined && claims[groups] !== undefined
  const hasMore = config.serverMetadata().userinfo_endpoint !== undefined
  const more = isWhole || !hasMore ? {} : await oidc.fetchUserInfo(config, tokens.access_token, subject)
  return { subject, identity: identityOf({ ...more, ...claims }, rules), sid: sessionIdOf(claims?.sid) }
}
