import { z } from 'zod'

const count = z.number().int().nonnegative()

/** Tokens and cost. `costUsd` is null when the price of a model that took part isn't known. */
export const usage = z.object({
  requests: count,
  inputTokens: count,
  outputTokens: count,
  cacheReadTokens: count,
  cacheWriteTokens: count,
  costUsd: z.number().nonnegative().nullable(),
})

export type Usage = z.infer<typeof usage>

export const noUsage: Usage = {
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0,
}

/** Many requests together: the cost of those whose price is known, and how many have none. */
export const usageSum = usage.extend({ costUsd: z.number().nonnegative(), unpriced: count })

export type UsageSum = z.infer<typeof usageSum>

/** Tokens of all kinds together. */
export const tokensOf = (
  used: Pick<Usage, 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens'>,
): number => used.inputTokens + used.outputTokens + used.cacheReadTokens + used.cacheWriteTokens

export const addUsage = (a: Usage, b: Usage): Usage => ({
  requests: a.requests + b.requests,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
  costUsd: a.costUsd === null || b.costUsd === null ? null : a.costUsd + b.costUsd,
})
