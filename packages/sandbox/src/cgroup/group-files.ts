import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sendSignal } from '../process/signal.ts'

/** The kernel's default: in each period a group may use its quota of CPU time, and waits for the next when it is spent. */
export const cpuPeriodUs = 100_000

export const cpuQuotaUs = (milliCpus: number): number => Math.round((milliCpus * cpuPeriodUs) / 1000)

/** A number in a file of the group; 0 when it is not there (anymore). */
export function readNumber(directory: string, file: string): number {
  try {
    return Number(readFileSync(join(directory, file), 'utf8').trim()) || 0
  } catch {
    return 0
  }
}

/** The value behind a key in a file of `key value` lines; 0 when it is not there. */
export function readKey(directory: string, file: string, key: string): number {
  try {
    const lines = readFileSync(join(directory, file), 'utf8').split('\n')
    return Number(lines.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1)) || 0
  } catch {
    return 0
  }
}

/** Sets a limit. Throws when the kernel doesn't know it or refuses the value. */
export function writeLimit(directory: string, file: string, value: string): void {
  // No O_CREAT: a limit that the kernel doesn't know must not become a file somewhere else.
  writeFileSync(join(directory, file), value, { flag: 'r+' })
}

/** Sets a limit that may be missing in this kernel (swap accounting often is). */
export function tryLimit(directory: string, file: string, value: string): void {
  try {
    writeLimit(directory, file, value)
  } catch {
    // The other limits hold.
  }
}

/** Makes all directories and sets them up, or none. */
export function makeGroup(directories: readonly string[], setUp: () => void): void {
  try {
    for (const directory of directories) mkdirSync(directory)
    setUp()
  } catch (error) {
    removeGroup(directories)
    throw error
  }
}

function membersOf(directories: readonly string[]): number[] {
  const pids = directories.flatMap((directory) => {
    try {
      return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
    } catch {
      return []
    }
  })
  return [...new Set(pids)]
}

/** Kills every member once; forks under way may escape one round, so callers repeat it until it is empty. */
export function killMembers(directories: readonly string[]): void {
  for (const pid of membersOf(directories)) sendSignal(pid, 'SIGKILL')
}

/** Removes the group with groups inside it; false when a member is left. */
export function removeGroup(directories: readonly string[]): boolean {
  return directories.map(removeTree).every(Boolean)
}

function removeTree(directory: string): boolean {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(directory, entry.name))
    }
    rmdirSync(directory)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}
