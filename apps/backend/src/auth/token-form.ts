/** What a token says of itself, of which nothing is verified: only good to find out whose it would be. */
export const claimedIssuer = (token: string): string | undefined => {
  const iss = claimsIn(token)?.iss
  return typeof iss === 'string' ? iss : undefined
}

/** When a token was made, in milliseconds since 1970, by its own word: for who has verified it. */
export const issuedAt = (token: string): number => Number(claimsIn(token)?.iat ?? 0) * 1000

const claimsIn = (token: string): { iss?: unknown; iat?: unknown } | undefined => {
  const parts = token.split('.')
  if (parts.length !== 3 || token.length > 100_000) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? claims : undefined
  } catch {
    return undefined
  }
}
