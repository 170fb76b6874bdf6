import { readFileSync } from 'node:fs'
import { ownGroup } from '../cgroup/hierarchy.ts'
import { measureVersion1 } from '../cgroup/version-1.ts'
import { measureVersion2 } from '../cgroup/version-2.ts'
import { readStat } from '../process/process-stat.ts'
import { measureTree } from '../process/process-tree.ts'
import type { SandboxUsage } from '../sandbox.ts'

/** Measures a command since its start. The memory is that of the whole container, in which little else is. */
export interface Meter {
  usage(): SandboxUsage | undefined
}

const INIT = 1

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The container's own control group, as the container sees it; undefined when it doesn't. */
function containerGroup(): (() => SandboxUsage) | undefined {
  const mounts = read('/proc/self/mountinfo')
  const self = read('/proc/self/cgroup')
  const memory = ownGroup(mounts, self, 'memory')
  const pids = ownGroup(mounts, self, 'pids')
  if (memory !== undefined && pids !== undefined) {
    const cpuacct = ownGroup(mounts, self, 'cpuacct')
    return () => measureVersion1({ memory, pids, cpuacct })
  }
  const unified = ownGroup(mounts, self)
  return unified === undefined ? undefined : () => measureVersion2(unified)
}

const threadsOf = (pid: number): number => readStat(pid)?.threads ?? 0

/** Threads that are not a command's: the launcher's own, and those of the first process. */
export const ownThreads = (): number => threadsOf(process.pid) + threadsOf(INIT)

/** Begins to measure a command that is about to start: told its process, the meter goes on from there. */
export function beginMeter(): (root: number) => Meter {
  const group = containerGroup()
  // Before the start: on a busy machine a command may have been killed for its memory by the time it could be asked after.
  const first = group?.()
  let last: SandboxUsage | undefined
  return (root) => ({
    usage() {
      const now = group?.() ?? measureTree(root)
      if (now === undefined || first === undefined) {
        last = now ?? last
        return last
      }
      last = {
        memoryBytes: now.memoryBytes,
        cpuMs: Math.max(0, now.cpuMs - first.cpuMs),
        processes: Math.max(0, now.processes - ownThreads()),
        oomKills: Math.max(0, now.oomKills - first.oomKills),
      }
      return last
    },
  })
}
