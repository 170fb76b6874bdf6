/** Every bound of the scripted model in one place. Sizes are bytes or characters, as the name says. */
export const limits = {
  /** A request's body, as in the real API. */
  bodyBytes: 32 * 1024 * 1024,
  /** Text that a scenario's pattern is tried on; what lies beyond is not looked at. */
  matchedChars: 256 * 1024,
  /** Text of one filled template. */
  filledChars: 2 * 1024 * 1024,
  /** Words or numbers that one template may generate. */
  generatedItems: 100_000,
  /** Rounds of one repeated step. */
  repeats: 1_000,
  /** One pause between two deltas. */
  delayMs: 60_000,
  /** Requests kept in the record, and the bodies' size that they may hold together. */
  recordedRequests: 200,
  recordedBytes: 64 * 1024 * 1024,
  /** Counters of faults ("twice, then succeed"); the longest unused are forgotten first. */
  counters: 10_000,
  scenarioFileBytes: 256 * 1024,
  scenarioFiles: 1_000,
} as const
