import { spawn as spawnChild } from 'node:child_process'
import type { SpawnedProcess, SpawnOptions } from '@anthropic-ai/claude-agent-sdk'
import type { Clock } from './clock.ts'

/** How long a process may live after its output has ended, before it is killed; and then, before it is given up. */
const lingerMs = 3000

/** Starts one process and knows when it is really gone, which the SDK doesn't say. */
export interface WatchedProcess {
  spawn(options: SpawnOptions): SpawnedProcess
  /** Waits until the process is gone; makes it go when it lingers. At once when none was started. */
  gone(): Promise<void>
}

const asChild =
  (onStderr: (text: string) => void) =>
  ({ command, args, cwd, env, signal }: SpawnOptions): SpawnedProcess => {
    const child = spawnChild(command, args, { cwd, env, signal, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stderr.setEncoding('utf8').on('data', onStderr)
    return child
  }

/** Watches the process that `spawn` starts; by default a child process. */
export const createWatchedProcess = (options: {
  spawn?: (options: SpawnOptions) => SpawnedProcess
  onStderr: (text: string) => void
  clock: Clock
}): WatchedProcess => {
  const { clock, onStderr, spawn = asChild(onStderr) } = options
  let live: SpawnedProcess | undefined
  const { promise: exit, resolve } = Promise.withResolvers<void>()
  return {
    spawn(how) {
      live = spawn(how)
      live.once('exit', () => resolve())
      live.once('error', () => {
        if (live?.exitCode !== null || !('pid' in live) || live.pid === undefined) resolve()
      })
      return live
    },
    async gone() {
      if (live === undefined) return
      const cancelKill = clock.after(lingerMs, () => live?.kill('SIGKILL'))
      const cancelWait = clock.after(2 * lingerMs, resolve)
      await exit
      cancelKill()
      cancelWait()
    },
  }
}
