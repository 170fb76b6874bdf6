import prices from './prices.json' with { type: 'json' }

export interface Tokens {
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
}

interface Price {
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

/** US dollars; null when the price of the model isn't known. The scripted model costs nothing. */
export const costOf = (source: 'live' | 'scripted', model: string, tokens: Tokens): number | null => {
  if (source === 'scripted') return 0
  const table: Record<string, Price> = prices.prices
  const prefix = Object.keys(table)
    .filter((name) => model.startsWith(name))
    .sort((a, b) => b.length - a.length)[0]
  const price = prefix === undefined ? undefined : table[prefix]
  if (price === undefined) return null
  const dollars =
    tokens.inputTokens * price.input +
    tokens.outputTokens * price.output +
    tokens.cacheReadTokens * price.cacheRead +
    tokens.cacheWriteTokens * price.cacheWrite
  return dollars / 1_000_000
}
