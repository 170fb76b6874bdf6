import { constants } from 'node:os'

const byNumber = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
)

/**
 * What a wrapper's exit status says about the command: wrappers report the end by signal n as 128 + n. A
 * command that itself exits with such a number can't be told from it.
 */
export function decodeStatus(status: number): { code: number | null; signal: NodeJS.Signals | null } {
  const signal = status > 128 ? byNumber.get(status - 128) : undefined
  return signal ? { code: null, signal } : { code: status, signal: null }
}

/** Sends a signal to a process (or, below zero, a group); one that is gone, or another user's, is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ESRCH' && code !== 'EPERM') throw error
  }
}
