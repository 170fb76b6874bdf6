import { resolve } from 'node:path'
import { type Clock, systemClock } from '@berth/runtime'

export interface LocalRuntimeOptions {
  /** Holds one directory per session; made when missing (0700). On a local file system, used by one backend at a time. */
  directory: string
  /** Program and arguments of the runner, e.g. the path of Node and of the runner's main file. */
  command: readonly string[]
  /** What every runner gets besides Berth's own variables. Without PATH, HOME or LANG, plain defaults stand in. */
  baseEnv?: Record<string, string>
  /** Where runners keep copies of repositories: a directory for each project below it. Default: they keep none there. */
  mirrors?: string
  /** Default: the machine's clock. */
  clock?: Clock
  /** Bytes that one session's log may take on disk, two files together. Default 4 MiB, at least 64 KiB. */
  logLimitBytes?: number
  /** Milliseconds between two looks at runners that an earlier backend has started. Default 500. */
  pollMs?: number
  /** Milliseconds that an older generation gets to end by itself before a newer one starts. Default 2000. */
  replaceGraceMs?: number
}

/** Checked and complete. */
export type LocalOptions = Required<Omit<LocalRuntimeOptions, 'mirrors'>> &
  Pick<LocalRuntimeOptions, 'mirrors'>

/** Throws RangeError or TypeError for options that can't work: a mistake of the program, found at its start. */
export const compileOptions = (options: LocalRuntimeOptions): LocalOptions => {
  const { logLimitBytes = 4 * 1024 * 1024, pollMs = 500, replaceGraceMs = 2000 } = options
  if (options.command.length === 0) throw new TypeError('createLocalRuntime: command is empty')
  if (!Number.isSafeInteger(logLimitBytes) || logLimitBytes < 64 * 1024)
    throw new RangeError('createLocalRuntime: logLimitBytes must be a whole number, at least 65536')
  if (!(pollMs >= 10)) throw new RangeError('createLocalRuntime: pollMs must be at least 10')
  if (!(replaceGraceMs >= 0)) throw new RangeError('createLocalRuntime: replaceGraceMs must not be negative')
  return {
    directory: resolve(options.directory),
    command: [...options.command],
    baseEnv: { ...options.baseEnv },
    mirrors: options.mirrors === undefined ? undefined : resolve(options.mirrors),
    clock: options.clock ?? systemClock,
    logLimitBytes,
    pollMs,
    replaceGraceMs,
  }
}
