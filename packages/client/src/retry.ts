import { isApiError, isConnectionError } from './errors.ts'

export interface RetryOptions {
  /** Tries in all. Default: 4. 1: never again. */
  attempts?: number
  /** Wait before the second try in milliseconds; doubles each time, with jitter. Default: 200. */
  baseMs?: number
  /** Longest wait between two tries. Default: 5,000. */
  maxMs?: number
  /** Longest `Retry-After` that is waited for; a longer one fails at once. Default: 30,000. */
  maxRetryAfterMs?: number
}

export type RetryPolicy = Required<RetryOptions>

export const retryDefaults: RetryPolicy = { attempts: 4, baseMs: 200, maxMs: 5000, maxRetryAfterMs: 30_000 }

/** Doubling back-off with jitter between half and whole. `failures` counts from 1. */
export const backoffMs = (failures: number, policy: RetryPolicy, random: number): number =>
  Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + random / 2)

export interface Failure {
  error: unknown
  /** Tries so far. */
  attempt: number
  /** Sending the same request twice does no more than once. */
  repeatable: boolean
  random: number
}

/**
 * How long to wait before the next try, or undefined to give up. A request that can't be repeated is tried again only
 * when the backend said that it did nothing (503, and 429 with `Retry-After`).
 */
export const retryDelay = (failure: Failure, policy: RetryPolicy): number | undefined => {
  const { error, attempt, repeatable, random } = failure
  if (attempt >= policy.attempts) return undefined
  if (isConnectionError(error)) {
    const fleeting = error.kind !== 'unexpected' || error.status === 502 || error.status === 503
    return repeatable && fleeting ? backoffMs(attempt, policy, random) : undefined
  }
  if (!isApiError(error)) return undefined
  const { status, retryAfterMs } = error
  const again =
    status === 503 || (status === 502 && repeatable) || (status === 429 && retryAfterMs !== undefined)
  if (!again || (retryAfterMs ?? 0) > policy.maxRetryAfterMs) return undefined
  return Math.max(retryAfterMs ?? 0, backoffMs(attempt, policy, random))
}
