import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** The backend as a child process. */
export interface BackendProcess {
  /** Its exit code; 128 + n when signal n ended it. */
  exit: Promise<number>
  signal(name: NodeJS.Signals): void
}

/**
 * Starts the backend. It gets a process group of its own, so that Ctrl-C reaches it once, passed on by us. Its logs go
 * to standard error, so that standard output holds what the command says.
 */
export const startBackend = (main: string, env: NodeJS.ProcessEnv): BackendProcess => {
  const child = spawn(process.execPath, [main], {
    env,
    stdio: ['ignore', process.stderr, process.stderr],
    detached: true,
  })
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    )
  })
  return { exit, signal: (name) => void child.kill(name) }
}
