import type { Readable, Writable } from 'node:stream'
import type { SandboxLimits } from './limits.ts'

/**
 * The port "where the agent's processes run". What it starts is hostile: an adapter must hold it to the
 * mounts, the door and the limits of its command, and must be able to end all of it.
 */
export interface Sandbox {
  readonly kind: 'bubblewrap' | 'container' | 'none'
  /** Is it usable here? Never throws. A problem comes with the one line that repairs it. */
  check(): Promise<SandboxCheck>
  /**
   * Starts a command, synchronously. A failure to start is an exit with the reason `spawn-failed`, never a
   * throw; it throws only off the main thread, because the signal that ends the sandbox together with its
   * driver belongs to the thread that started it.
   */
  spawn(command: SandboxCommand): SandboxedProcess
}

export type SandboxCheck =
  | {
      ok: true /** One line for a person: what holds, and what is weaker than it could be. */
      detail: string
    }
  | { ok: false; problem: string /** One line: a command to run, or what to change. */; repair: string }

export interface SandboxMount {
  /** Absolute path outside. */
  path: string
  mode: 'ro' | 'rw'
  /** Absolute path inside. Default: the same as outside. */
  target?: string
}

export interface SandboxDoor {
  /** Unix socket outside. Its owner must outlive the command: a socket made anew is another one. */
  socket: string
  /** Where it appears inside, at most 104 bytes, e.g. `/run/door.sock`. */
  target: string
}

export interface SandboxCommand {
  /** Absolute path, or a name that is looked up in `env.PATH` inside. */
  command: string
  args: readonly string[]
  /** Absolute path inside. */
  cwd: string
  /** Exactly this environment, nothing inherited; `PWD` is set to `cwd` on top. */
  env: Readonly<Record<string, string>>
  mounts: readonly SandboxMount[]
  door?: SandboxDoor
  /** The only mode now: no network at all. */
  network?: 'none'
  /** Every limit that is left out has its default: see SandboxLimits. */
  limits?: SandboxLimits
  /** Ends the command as `kill()` does. */
  signal?: AbortSignal
}

export interface SandboxedProcess {
  /** The process to watch from outside, `undefined` when nothing started or it can't be seen from here. */
  readonly pid: number | undefined
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /**
   * Ends the command and everything that it started, daemonised children too. `SIGKILL` does so at once;
   * any other signal (default `SIGTERM`) goes to the command first, and after the sandbox's grace period all
   * that is left is killed. Idempotent; nothing happens after the end.
   */
  kill(signal?: NodeJS.Signals): void
  /** Resolves once, when nothing of the command is left. Never rejects. Output may still wait to be read. */
  readonly exited: Promise<SandboxExit>
  /** What it uses now or used a moment ago, the last measurement after its end, `undefined` when there is none. */
  usage(): SandboxUsage | undefined
}

export type SandboxExitReason = 'exit' | 'killed' | 'out-of-memory' | 'time-limit' | 'spawn-failed'

export interface SandboxExit {
  code: number | null
  signal: NodeJS.Signals | null
  reason: SandboxExitReason
  /** One sentence for a person. */
  message: string
}

export interface SandboxUsage {
  /** Memory that can't be reclaimed, in bytes. */
  memoryBytes: number
  cpuMs: number
  /** Processes and threads. */
  processes: number
  /** Processes that the kernel killed because the memory limit was reached. */
  oomKills: number
}
