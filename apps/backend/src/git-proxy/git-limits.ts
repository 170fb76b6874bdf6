import { limits } from '@berth/contract'

export interface GitProxyLimits {
  /** Requests of one session at once. */
  atOnce: number
  /** Bytes of a push before its pack. */
  commandBytes: number
  /** Bytes of a push with its pack, of what else git asks with, and of an answer. */
  pushBytes: number
  askBytes: number
  answerBytes: number
  /** Bytes of refs that are read to see where a branch is. */
  lookUpBytes: number
  /** Until an answer begins; without a byte in either direction; and for all of a request; in ms. */
  headersMs: number
  idleMs: number
  totalMs: number
}

export const standardLimits: GitProxyLimits = {
  atOnce: 32,
  commandBytes: 64 * 1024,
  pushBytes: limits.gitPush,
  askBytes: 64 * 1024 * 1024,
  lookUpBytes: 64 * 1024 * 1024,
  answerBytes: 16 * 1024 * 1024 * 1024,
  headersMs: 300_000,
  idleMs: 120_000,
  totalMs: 3_600_000,
}
