import type { Price, Prices } from './prices.ts'
import { plainModelName } from './providers/cloud-models.ts'

export interface Tokens {
  inputTokens: number
  outputTokens: number
  cacheReadTokens: number
  /** For five minutes and for an hour together. */
  cacheWriteTokens: number
  /** Those of them that are kept for an hour, which costs more. */
  cacheWriteHourTokens?: number
}

/** US dollars; null when the price of the model isn't known. The scripted model costs nothing unless a price says so. */
export const costOf = (
  { prices, scripted }: Prices,
  { source, model }: { source: 'live' | 'scripted'; model: string },
  tokens: Tokens,
): number | null => {
  const price = priceOf(source === 'live' ? prices : scripted, model)
  if (price === undefined) return source === 'live' ? null : 0
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cacheWriteHourTokens = 0 } = tokens
  const prompt = inputTokens + cacheReadTokens + cacheWriteTokens
  const rates = price.longPrompt !== undefined && prompt > price.longPrompt.above ? price.longPrompt : price
  const hour = Math.min(cacheWriteHourTokens, cacheWriteTokens)
  const dollars =
    inputTokens * rates.input +
    outputTokens * rates.output +
    cacheReadTokens * rates.cacheRead +
    (cacheWriteTokens - hour) * rates.cacheWrite +
    hour * (rates.cacheWriteHour ?? rates.cacheWrite)
  return dollars / 1_000_000
}

/** The longest beginning of the model's name counts; of a cloud's id, what it is called there, and then everywhere. */
const priceOf = (table: Prices['prices'], model: string): Price | undefined =>
  priceUnder(table, model) ?? priceUnder(table, plainModelName(model)) ?? table['*']

const priceUnder = (table: Prices['prices'], model: string): Price | undefined => {
  const name = Object.keys(table)
    .filter((prefix) => model.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0]
  return name === undefined ? undefined : table[name]
}
