import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { SandboxedProcess } from './sandbox.ts'

/** What the Agent SDK's `spawnClaudeCodeProcess` has to return. */
export interface SpawnedProcessLike {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly killed: boolean
  readonly exitCode: number | null
  readonly signalCode: NodeJS.Signals | null
  kill(signal: NodeJS.Signals): boolean
  on(event: 'exit', listener: ExitListener): void
  on(event: 'error', listener: ErrorListener): void
  once(event: 'exit', listener: ExitListener): void
  once(event: 'error', listener: ErrorListener): void
  off(event: 'exit', listener: ExitListener): void
  off(event: 'error', listener: ErrorListener): void
}

type ExitListener = (code: number | null, signal: NodeJS.Signals | null) => void
type ErrorListener = (error: Error) => void

/** The exit code that shells give for a command that can't be started. */
const NOT_STARTED = 127

class SpawnedProcessAdapter extends EventEmitter {
  readonly stdin: Writable
  readonly stdout: Readable
  killed = false
  exitCode: number | null = null
  signalCode: NodeJS.Signals | null = null
  readonly #process: SandboxedProcess

  constructor(process: SandboxedProcess) {
    super()
    this.#process = process
    this.stdin = process.stdin
    this.stdout = process.stdout
    void process.exited.then(({ code, signal, reason, message }) => {
      const failed = reason === 'spawn-failed'
      this.exitCode = failed ? NOT_STARTED : code
      this.signalCode = signal
      if (failed && this.listenerCount('error') > 0) this.emit('error', new Error(message))
      else this.emit('exit', this.exitCode, signal)
    })
  }

  kill(signal: NodeJS.Signals): boolean {
    if (this.exitCode !== null || this.signalCode !== null) return false
    this.#process.kill(signal)
    this.killed = true
    return true
  }
}

/**
 * Dresses a sandboxed process as the Agent SDK expects it. `onStderr` gets what Claude Code writes there;
 * without it that is read and dropped, since an unread pipe would block the process.
 */
export function asSpawnedProcess(
  process: SandboxedProcess,
  onStderr: (text: string) => void = () => undefined,
): SpawnedProcessLike {
  process.stderr.setEncoding('utf8').on('data', onStderr)
  return new SpawnedProcessAdapter(process)
}
