/** Whom an installation trusts to say who people are: an OpenID Connect issuer. */
export interface OidcSettings {
  /** Exactly as the issuer's own discovery document says it. */
  issuer: string
  clientId: string
  /** Undefined: a public client, which PKCE alone protects. */
  clientSecret: string | undefined
  scopes: readonly string[]
  claims: ClaimNames
  /** `aud` of access tokens that the API takes. Empty: only tokens for `clientId` and `cliClientId`. */
  audiences: readonly string[]
  /** A public client that may redirect to this machine, for `berth login`. */
  cliClientId: string | undefined
}

/** Which claims say who somebody is. */
export interface ClaimNames {
  /** Names the user for good; `email` counts only when the issuer says that it is verified. */
  user: string
  /** Shown to people, never compared. */
  name: string
  groups: string
}
