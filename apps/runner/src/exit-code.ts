/** What the runner's exit code tells the runtime. */
export const exitCode = {
  /** Ended as it should: stopped or deleted. */
  done: 0,
  /** A fault in the runner itself. */
  fault: 1,
  /** The environment or the arguments are wrong; or the start failed, and a fact said why. */
  start: 2,
  /** A newer generation took over: nothing was touched. */
  fenced: 3,
  /** The backend could not be reached for too long. A turn that ran is not over: the next runner goes on with it. */
  away: 4,
  /** Told to end by a signal, without a stop of the session. A turn that ran is not over either. */
  terminated: 5,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]
