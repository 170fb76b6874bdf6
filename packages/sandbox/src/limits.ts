/** Limits of one command with everything that it starts. A limit that is left out has its default. */
export interface SandboxLimits {
  /** Memory of all processes together, in bytes; at least 16 MiB. Default 4 GiB. */
  memoryBytes?: number
  /** Processes and threads at once; at least 8. Default 1024. */
  processes?: number
  /** CPU of all processes together, in thousandths of a core; at least 10. Where control groups hold it. Default: none. */
  milliCpus?: number
  /** Time from the start to a forced end, in ms. Default: none, a session may live for days. */
  wallClockMs?: number
  /** CPU time of each single process, in seconds. Default: none. */
  cpuSeconds?: number
  /** Size of a file that is written, in bytes. Default 8 GiB. */
  fileBytes?: number
  /** Open files of each process. Default 4096. */
  openFiles?: number
  /** Each of `/tmp` and `/dev/shm`, in bytes; counts as memory. Default 512 MiB. */
  temporaryBytes?: number
}

export interface EffectiveLimits {
  memoryBytes: number
  processes: number
  milliCpus: number | undefined
  wallClockMs: number | undefined
  cpuSeconds: number | undefined
  fileBytes: number
  openFiles: number
  temporaryBytes: number
}

const MiB = 1024 ** 2
/** The longest delay that a timer of Node takes (24.8 days). */
const MAX_TIMER_MS = 2 ** 31 - 1

const bounds = {
  memoryBytes: { min: 16 * MiB, max: 2 ** 50, fallback: 4096 * MiB },
  processes: { min: 8, max: 1_000_000, fallback: 1024 },
  milliCpus: { min: 10, max: 1_000_000, fallback: undefined },
  wallClockMs: { min: 1, max: MAX_TIMER_MS, fallback: undefined },
  cpuSeconds: { min: 1, max: 2 ** 31, fallback: undefined },
  fileBytes: { min: 4096, max: 2 ** 50, fallback: 8192 * MiB },
  openFiles: { min: 32, max: 1_000_000, fallback: 4096 },
  temporaryBytes: { min: 4096, max: 2 ** 50, fallback: 512 * MiB },
} as const

function pick<F extends number | undefined>(
  name: keyof typeof bounds,
  value: number | undefined,
  fallback: F,
): number | F {
  if (value === undefined) return fallback
  const { min, max } = bounds[name]
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`The limit ${name} is ${value}: it must be a whole number from ${min} to ${max}.`)
}

/** Fills in the defaults. Throws a RangeError that names a limit which is no whole number in its range. */
export function compileLimits(limits: SandboxLimits = {}): EffectiveLimits {
  return {
    memoryBytes: pick('memoryBytes', limits.memoryBytes, bounds.memoryBytes.fallback),
    processes: pick('processes', limits.processes, bounds.processes.fallback),
    milliCpus: pick('milliCpus', limits.milliCpus, bounds.milliCpus.fallback),
    wallClockMs: pick('wallClockMs', limits.wallClockMs, bounds.wallClockMs.fallback),
    cpuSeconds: pick('cpuSeconds', limits.cpuSeconds, bounds.cpuSeconds.fallback),
    fileBytes: pick('fileBytes', limits.fileBytes, bounds.fileBytes.fallback),
    openFiles: pick('openFiles', limits.openFiles, bounds.openFiles.fallback),
    temporaryBytes: pick('temporaryBytes', limits.temporaryBytes, bounds.temporaryBytes.fallback),
  }
}
