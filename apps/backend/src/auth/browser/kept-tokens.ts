import type { Cipher } from '../../secrets/cipher.ts'

/** What Berth keeps of the issuer's tokens for a browser: to ask again who it is, and to sign it out there. */
export interface KeptTokens {
  refresh?: string
  id?: string
}

/** What a browser's sealed tokens are bound to. */
export const browserContext = (hash: string) => `browser-session:${hash}`

export const sealTokens = (cipher: Cipher, hash: string, tokens: KeptTokens): string =>
  cipher.seal(JSON.stringify(tokens), browserContext(hash))

/** Nothing when it was sealed with a key that is gone, or for another session. */
export const openTokens = (cipher: Cipher, hash: string, sealed: string | undefined): KeptTokens => {
  if (sealed === undefined) return {}
  try {
    return JSON.parse(cipher.open(sealed, browserContext(hash)))
  } catch {
    return {}
  }
}
