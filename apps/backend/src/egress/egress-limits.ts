import { limits } from '@berth/contract'

export interface EgressLimits {
  /** Requests of one session at once. */
  atOnce: number
  /** Bytes of a request, and of an answer. */
  requestBytes: number
  answerBytes: number
  /** Until an answer begins; without a byte in either direction; and for all of a request; in ms. */
  headersMs: number
  idleMs: number
  totalMs: number
}

export const standardLimits: EgressLimits = {
  atOnce: 64,
  requestBytes: limits.egressRequest,
  answerBytes: limits.egressAnswer,
  headersMs: 300_000,
  idleMs: 120_000,
  totalMs: 3_600_000,
}
