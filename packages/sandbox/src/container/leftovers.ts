import { setTimeout as delay } from 'node:timers/promises'
import { allProcesses, isAlive, type ProcessStat } from '../process/process-stat.ts'
import { treeOf } from '../process/process-tree.ts'
import { sendSignal } from '../process/signal.ts'

const INIT = 1
const ROUNDS = 400
const INTERVAL_MS = 5

/** Processes of the container that belong to no living command: neither below one, nor in the session of one. */
function strangers(processes: readonly ProcessStat[], live: ReadonlySet<number>): ProcessStat[] {
  const kept = new Set([...live].flatMap((root) => treeOf(root, processes).map(({ pid }) => pid)))
  return processes.filter(
    (one) =>
      isAlive(one) &&
      one.pid !== INIT &&
      one.pid !== process.pid &&
      !kept.has(one.pid) &&
      !live.has(one.session),
  )
}

/** Kills everything in the container but the launcher and the first process; the kernel misses none, not even forks. */
function killAll(): void {
  try {
    process.kill(-1, 'SIGKILL')
  } catch {
    // There is nothing.
  }
}

/**
 * Ends what is left of commands that have ended. A process can leave its parent, its group, its session and its
 * environment behind, but not the container: so whatever belongs to no living command goes, and when none lives, all.
 * The price is that a daemon of a living command can go too when another command ends.
 */
export async function clearLeftovers(live: () => ReadonlySet<number>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const left = strangers(allProcesses(), live())
    if (left.length === 0) return
    if (live().size === 0) killAll()
    else for (const { pid } of left) sendSignal(pid, 'SIGKILL')
    await delay(INTERVAL_MS)
  }
  // Something forks faster than it can be found: then the commands beside it go too.
  killAll()
}
