import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { allProcesses, isAlive } from '../process/process-stat.ts'
import { measureTree, treeOf } from '../process/process-tree.ts'
import { sendSignal } from '../process/signal.ts'
import type { SandboxUsage } from '../sandbox.ts'

const ATTEMPTS = 200
const INTERVAL_MS = 10

/**
 * Finds what a command started: its process group, its descendants, and processes with its marker in their
 * environment, as daemons have left the first two. A program that hides from all three gets away. Without
 * /proc (macOS) only the group is found.
 */
export class DescendantTracker {
  readonly #root: number | undefined
  readonly #marker: string
  #last: SandboxUsage | undefined

  constructor(root: number | undefined, marker: string) {
    this.#root = root
    this.#marker = marker
  }

  #members(): number[] {
    const processes = allProcesses().filter(isAlive)
    const descendants = new Set(
      this.#root === undefined ? [] : treeOf(this.#root, processes).map(({ pid }) => pid),
    )
    return processes
      .filter(({ pid, group }) => group === this.#root || descendants.has(pid) || this.#isMarked(pid))
      .map(({ pid }) => pid)
  }

  #isMarked(pid: number): boolean {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(this.#marker)
    } catch {
      return false
    }
  }

  usage(): SandboxUsage | undefined {
    this.#last = (this.#root === undefined ? undefined : measureTree(this.#root)) ?? this.#last
    return this.#last
  }

  killAll(): void {
    if (this.#root === undefined) return
    sendSignal(-this.#root, 'SIGKILL')
    for (const pid of this.#members()) sendSignal(pid, 'SIGKILL')
  }

  /** Kills until nothing is found anymore, for two seconds at most. */
  async clear(): Promise<void> {
    this.killAll()
    for (let attempt = 0; attempt < ATTEMPTS && this.#members().length > 0; attempt++) {
      this.killAll()
      await delay(INTERVAL_MS)
    }
  }
}
