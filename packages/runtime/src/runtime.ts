import type { DiagnoseOptions, RuntimeDiagnosis } from './diagnosis.ts'
import type { RunnerObservation } from './observation.ts'

/** What a runner may use, with the agent and all its tools. The runner hands it on to the sandbox. */
export interface RunnerLimits {
  memoryBytes: number
  processes: number
  /** CPU in thousandths of a core. */
  milliCpus: number
}

export interface RunnerSpec {
  /** `ses_…`; refused when it isn't a session id, because it becomes a path or a name. */
  session: string
  project: string
  /** Counts the starts of a session's runner, from 1. */
  generation: number
  /** Where the runner finds the backend. */
  backendUrl: string
  /** The runner's token for this session and generation. Never on a command line, never on disk. */
  token: string
  limits: RunnerLimits
  /** Image of the container in which the agent works; where there are no images it means nothing. Default: the runtime's. */
  image?: string
  /** Milliseconds after which the runtime ends the runner by itself: the last resort, behind the backend's own deadline. */
  deadlineMs?: number
  /** More environment variables. Can't replace those which the runtime sets. */
  env?: Record<string, string>
}

export interface StopOptions {
  /** Milliseconds between SIGTERM and force; 0 forces at once. */
  graceMs: number
}

/**
 * Where runners run: four verbs and a hint. No message passes through it; runners dial home.
 *
 * Every method may throw RuntimeError and nothing else. Calls for one session are safe at the same time and take
 * effect one after the other; calls for different sessions don't wait for each other. Runners survive `close` and
 * the death of the process that asked for them; the next Runtime over the same place adopts them.
 */
export interface Runtime {
  readonly kind: 'local' | 'kubernetes' | 'fake'

  /**
   * Makes sure that the runner of this session and generation runs. Resolves when asked for, not when ready; from
   * then on `observe` doesn't say `absent`. Idempotent per session and generation: one that has ended is not started
   * again. A newer generation first ends the older one; an older one than known is refused (forbidden).
   */
  ensure(spec: RunnerSpec): Promise<void>

  /**
   * What is the case, as of this call or at most a few moments before; a runner that was asked for through this object is
   * never `absent` because of that. What is watched may be answered from what the watch has brought, as long as it is
   * known to be alive; `absent` is only said after a look.
   */
  observe(session: string): Promise<RunnerObservation>

  /**
   * SIGTERM to the runner, and after the grace time force for it and everything that it started. Resolves when
   * nothing of it is left. Idempotent; a second call with less grace shortens that of the first.
   */
  stop(session: string, options: StopOptions): Promise<void>

  /** Everything that runs or has ended and was not removed, also after a restart of the backend. */
  list(): Promise<RunnerObservation[]>

  /** Ends what still runs by force, and deletes all that the runtime kept, files included. Idempotent. */
  remove(session: string): Promise<void>

  /** The projects for which something is kept as a whole. */
  projects(): Promise<string[]>

  /** Deletes what the runtime made for a project as a whole, e.g. its namespace. Idempotent; no runner of it is left. */
  removeProject(project: string): Promise<void>

  /**
   * Calls `onHint` when it is worth to observe a session again. Hints may be lost, doubled or late, so they never
   * replace a look from time to time. `onHint` must not throw. Returns what ends the watching.
   */
  watch(onHint: (session: string) => void): () => void

  /**
   * Only where there is something to check: looks at the place itself, with its own rights, and makes what it needs for that
   * and removes it again. Takes up to two minutes. What can't be checked is a finding too; it never throws.
   */
  diagnose?(options: DiagnoseOptions): Promise<RuntimeDiagnosis>

  /** Stops watching and frees what this object holds. Runners go on. Idempotent. */
  close(): Promise<void>
}
