import type { SandboxUsage } from '../sandbox.ts'

/**
 * How a runner and a launcher speak. Each connection begins with one line of JSON from the runner. A command has four:
 * one that asks for it, then tells of it and steers it, by lines; and one for each of its three streams, of bytes alone.
 * The launcher hands the streams to the command as they are: so it holds none of its output, the kernel makes a fast
 * writer wait, and half a stream can be closed. When the first connection closes, the command is ended.
 */
export type Opening =
  | { open: 'command'; request: LaunchRequest }
  | { open: 'stream'; stream: StreamName; of: string }
  /** As long as it is open, a launcher that ends with its client goes on. */
  | { open: 'lease' }
  /** Asks for nothing but the greeting. */
  | { open: 'hello' }

export const streamNames = ['stdin', 'stdout', 'stderr'] as const
export type StreamName = (typeof streamNames)[number]

export interface LaunchRequest {
  /** Chosen by the runner, and not to be guessed: its streams are joined by it. */
  id: string
  /** Absolute path, or a name that is looked up in `env.PATH`. */
  command: string
  args: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  limits: LaunchLimits
}

/** What each process of the command is held to; its memory and its disk are the container's. */
export interface LaunchLimits {
  /** Processes and threads that its user may have beside those that are there. */
  processes: number
  fileBytes: number
  openFiles: number
  cpuSeconds?: number
  /** Private memory of each process. */
  dataBytes?: number
}

/** What a launcher tells on every connection but those of streams, one JSON a line. */
export type Told =
  | ({ tell: 'life' } & Life)
  /** It runs: what is written to its standard input now arrives. */
  | { tell: 'started' }
  | { tell: 'failed'; message: string }
  | { tell: 'usage'; usage: SandboxUsage }
  /** Nothing of it is left. */
  | { tell: 'exit'; code: number | null; signal: string | null; usage?: SandboxUsage }

export interface Life {
  /** A launcher that was started again is another one. */
  life: string
  /** How the one before ended: there was none; by itself; or killed for the container's memory, alone or with all of it. */
  before: 'none' | 'ended' | 'killed'
}

/** What a runner says of a command that runs. `end` ends it and all that it started, now. */
export type Order = { signal: string } | { end: true }

/** Characters of the first line; a command's arguments and environment are at most 1 MiB, and JSON may escape them. */
export const longestOpening = 8 * 1024 ** 2
/** Characters of every other line. */
export const longestLine = 64 * 1024
