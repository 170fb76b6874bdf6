import type { Fault } from './fault-schema.ts'
import { limits } from './limits.ts'
import { fill, fillNumber, type Lookup } from './template.ts'

/** A fault that strikes now, with its templates filled. */
export type Strike =
  | { kind: 'status'; status: number; message: string | undefined; retryAfter: number | undefined }
  | { kind: 'cut'; after: number }
  | { kind: 'stall'; after: number | undefined }
  | { kind: 'stream_error'; after: number; error: string; message: string }

const mostDeltas = 1_000_000

function statusOf(fault: Fault & { kind: 'status' }, lookup: Lookup): Strike {
  const status = fillNumber(fault.status, lookup, 599)
  return {
    kind: 'status',
    status: status >= 400 ? status : 500,
    message: fault.message === undefined ? undefined : fill(fault.message, lookup),
    retryAfter: fault.retry_after === undefined ? undefined : fillNumber(fault.retry_after, lookup, 86_400),
  }
}

/**
 * Decides whether a fault strikes at this attempt (counted from 1); after `times` attempts it doesn't, and
 * the step's own answer is given.
 */
export function strikeOf(fault: Fault, attempt: number, lookup: Lookup): Strike | undefined {
  if (fault.times !== undefined && attempt > fillNumber(fault.times, lookup, Number.MAX_SAFE_INTEGER))
    return undefined
  if (fault.kind === 'status') return statusOf(fault, lookup)
  const after = fault.after === undefined ? undefined : fillNumber(fault.after, lookup, mostDeltas)
  if (fault.kind === 'stall') return { kind: 'stall', after }
  if (fault.kind === 'cut') return { kind: 'cut', after: after ?? 1 }
  return {
    kind: 'stream_error',
    after: after ?? 1,
    error: fault.error,
    message: fault.message === undefined ? 'Overloaded' : fill(fault.message, lookup),
  }
}

/** The pauses of an answer in milliseconds, after filling, scaling and limiting. */
export interface Pauses {
  first: number
  each: number
}

/** Keeps a pause between 0 and {@link limits.delayMs}. */
export function limitPause(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, 0), limits.delayMs)
}
