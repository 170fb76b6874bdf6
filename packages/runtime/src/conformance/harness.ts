import type { RunnerObservation } from '../observation.ts'
import type { RunnerSpec, Runtime } from '../runtime.ts'

/**
 * What a test runner does:
 * - `serve`: runs until SIGTERM, then exits with code 0
 * - `exit:N`: exits with code N at once
 * - `stubborn`: runs and ignores SIGTERM
 * - `die`: ends itself with SIGKILL
 */
export type RunnerBehaviour = 'serve' | `exit:${number}` | 'stubborn' | 'die'

/** The variable in a spec's `env` that tells the test runner its behaviour; without it, `serve`. */
export const behaviourVariable = 'BERTH_TEST_BEHAVIOUR'

/** One place where runners run, and what a test must know of it. */
export interface RuntimeHarness {
  /** A Runtime over this place. A second call stands for the backend's next process: it adopts what runs. */
  open(): Promise<Runtime>
  /** A Runtime over this place whose starts fail. */
  openBroken(): Promise<Runtime>
  /** The environments of every runner of the session that began, in order; test runners write them down. */
  starts(session: string): Promise<Record<string, string>[]>
  /** How many processes of the session's runners live. */
  alive(session: string): Promise<number>
  /** Ends the runner from outside, without a chance for it: kill -9 of the process, or the death of its container. */
  kill(session: string): Promise<void>
  /** Ends everything and deletes the place. */
  dispose(): Promise<void>
}

export interface ConformanceOptions {
  /** Tests that this runtime can't pass: the test's name and the reason. */
  skips?: Record<string, string>
  /** Milliseconds that a condition may take to come true. Default 20,000. */
  patienceMs?: number
}

/** What every test gets. */
export interface Bench {
  harness: RuntimeHarness
  runtime: Runtime
  /** Opens another Runtime over the same place; it is closed after the test. */
  reopen(): Promise<Runtime>
  spec(over?: Partial<RunnerSpec> & { behaviour?: RunnerBehaviour }): RunnerSpec
  /** Waits until `probe` gives something else than undefined or false, and returns it. */
  eventually<T>(what: string, probe: () => Promise<T | undefined | false> | T | undefined | false): Promise<T>
  /** Waits until the session's runner has ended, as `runtime` sees it. */
  end(session: string, runtime?: Runtime): Promise<RunnerObservation & { state: 'ended' }>
  /** Waits until the n-th runner of the session has begun to work. */
  begun(session: string, count?: number): Promise<void>
}
