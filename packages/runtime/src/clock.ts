/** A timer that was set. `unref` lets the process end although the timer waits. */
export interface TimerHandle {
  unref(): unknown
}

/** Time as an argument: what depends on it can be tested without waiting. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls `fn` once, `ms` milliseconds from now. */
  setTimeout(fn: () => void, ms: number): TimerHandle
  /** Cancels a timer; one that has fired or was cancelled is ignored. */
  clearTimeout(handle: TimerHandle): void
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (fn, ms) => setTimeout(fn, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
}
