/** Why a runner ended. Whether it is started again is the backend's decision. */
export const endReasons = [
  /** With code 0. */
  'exited',
  /** With another code. */
  'crashed',
  /** By a signal; where the runtime can't tell, this may have been the machine's memory running out. */
  'killed',
  'out-of-memory',
  /** The process is gone and nothing recorded its end, e.g. because the machine was restarted. */
  'lost',
  'deadline',
  'evicted',
  'unschedulable',
  'image',
  'create-error',
  'node-lost',
  'preempted',
] as const

export type EndReason = (typeof endReasons)[number]

/** The runtime knows nothing of a runner of this session. */
export interface RunnerAbsent {
  state: 'absent'
  session: string
}

/** What a runtime goes through before a runner can begin, in this order. */
export const runtimeSteps = ['schedule', 'image', 'containers'] as const

/** How far one of them is; a failed one is tried again by the runtime, and says why it failed. */
export interface RuntimeStep {
  step: (typeof runtimeSteps)[number]
  state: 'started' | 'done' | 'failed'
  /** Since it began. */
  ms?: number
  /** For a person, at most 1000 characters. */
  message?: string
}

/** Asked for and not ended; says nothing about readiness, which the runner itself tells the backend. */
export interface RunnerRunning {
  state: 'running'
  session: string
  generation: number
  /** Milliseconds since 1970. */
  startedAt: number
  /** When the runner itself began, by this machine's clock; missing while the steps before it are under way. Only with `steps`. */
  beganAt?: number
  /** Those that have begun, each as it is now. Missing: the runtime has none. */
  steps?: RuntimeStep[]
}

export interface RunnerEnded {
  state: 'ended'
  session: string
  generation: number
  reason: EndReason
  /** Only when the process ended by itself. */
  exitCode?: number
  /** Like `SIGKILL`; only when a signal ended it. */
  signal?: string
  /** For a person: what happened, with the last lines of the runner's log where they help. At most 4000 characters. */
  message: string
  /** Milliseconds since 1970; for `lost`, when it was noticed. */
  endedAt: number
}

/** What the runtime sees now. */
export type RunnerObservation = RunnerAbsent | RunnerRunning | RunnerEnded
