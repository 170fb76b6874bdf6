/** Why a runner could not be started, or the runtime not be asked. */
export const startFailures = [
  /** The process could not be made. */
  'spawn',
  /** The image is missing or can't be pulled. */
  'image',
  /** No place has the room that it needs. */
  'unschedulable',
  /** A quota is used up. */
  'quota',
  /** The runtime refuses: a bad session id, a missing right, an outdated generation. */
  'forbidden',
  /** The runtime can't be reached or can't work now: API server away, disk full. */
  'unavailable',
] as const

export type StartFailure = (typeof startFailures)[number]

export interface RuntimeErrorFacts {
  reason: StartFailure
  /** What happened, why, and what to do: a person reads it. */
  message: string
  /** Whether the same request can succeed later with nothing changed by a person. */
  retryable: boolean
  cause?: unknown
}

/** What every method of a Runtime throws. Recognise it by `isRuntimeError`. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly reason: StartFailure
  readonly retryable: boolean

  constructor(facts: RuntimeErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.reason = facts.reason
    this.retryable = facts.retryable
  }
}

/** By brand, not by prototype: holds across two copies of this package. */
export const isRuntimeError = (value: unknown): value is RuntimeError =>
  value instanceof Error && value.name === 'RuntimeError' && 'reason' in value && 'retryable' in value
