import type { LogLine, LogSource, StoredLogLine } from '@berth/contract'

/** Who a runner's token belongs to. */
export interface RunnerIdentity {
  session: string
  project: string
  generation: number
  /** False: the generation is over, its runner is fenced out. */
  current: boolean
  /** The stamp of its project's secrets, see `secretStamp`; missing: it was not looked for. */
  secrets?: number
}

/** What the reconciler reads of a session besides its state. */
export interface GenerationRow {
  generation: number
  startedAt: number
  /** Milliseconds since 1970; undefined before the first. */
  heartbeatAt: number | undefined
}

/** Who has room for a runner, and who wants some. */
export interface Occupancy {
  /** Sessions with a runner, and those whose runner was lost and that keep their place. */
  live: {
    session: string
    project: string
    owner: string
    /** What the agent used at the last heartbeat that said so. */
    memoryBytes: number | undefined
    /** MiB and thousandths of a core that its runner was started with. */
    memoryMiB: number | undefined
    milliCpus: number | undefined
  }[]
  /** Sessions that wait to be started, with the time since when, and the MiB and thousandths of a core that they set for themselves. */
  waiting: {
    session: string
    project: string
    owner: string
    since: number
    memoryMiB: number | undefined
    milliCpus: number | undefined
  }[]
}

/** Runners: their tokens, their signs of life, what they log, and which are wanted; part of the store's port. */
export interface RunnerStore {
  runner(tokenHash: string): Promise<RunnerIdentity | undefined>
  /** Replaces the token of the current generation, when its runner has to be asked for again. */
  setRunnerToken(session: string, generation: number, tokenHash: string): Promise<void>
  /** A heartbeat that measured no memory keeps what was measured before. */
  heartbeat(session: string, generation: number, beat: { now: number; memoryBytes?: number }): Promise<void>
  generation(session: string): Promise<GenerationRow | undefined>

  /**
   * Keeps lines of a live generation's log, numbered in their order; of a session's lines of one source only the
   * newest stay, up to `limits.logLines` and `limits.logBytes`: a loud agent leaves the runner's alone. Rejects with `fenced` for a generation that is over.
   */
  addLogs(session: string, generation: number, lines: LogLine[]): Promise<void>
  /** Lines with `after < n`, oldest first, up to `limit`; without `after` the newest ones. None of an unknown session. */
  logs(
    session: string,
    range: { source?: LogSource; after?: number; limit: number },
  ): Promise<StoredLogLine[]>

  /**
   * Sessions that may need a step: live ones that should stop or have been silent since `silentBefore`, pending and
   * deleted ones that are due, and failed ones whose runner still lives. At most `limit`, those that waited longest first.
   * Several backends are given different ones, each for a few seconds.
   */
  attention(query: { now: number; silentBefore: number; limit: number }): Promise<string[]>
  /** Sessions of all projects that live or are to. */
  occupancy(): Promise<Occupancy>
  /** Takes or renews a lease for `ttlMs`, by the store's own time; false when another holder has it. */
  lease(name: string, holder: string, ttlMs: number): Promise<boolean>
  release(name: string, holder: string): Promise<void>
}
