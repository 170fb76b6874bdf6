import { readFileSync } from 'node:fs'
import { vi } from 'vitest'
import { allProcesses, isAlive } from '../process/process-stat.ts'

/** Living processes of the host that have this word in their command line. */
export function processesWith(word: string): number[] {
  return allProcesses()
    .filter(isAlive)
    .map(({ pid }) => pid)
    .filter((pid) => commandLine(pid).includes(word))
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 45_000, interval: 10 })
}
