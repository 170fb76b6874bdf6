import { readFileSync } from 'node:fs'
import type { SandboxUsage } from '../sandbox.ts'
import type { ProcessStat } from './process-stat.ts'
import { allProcesses } from './process-stat.ts'

/** The process `root` and all its descendants among `processes`, the root first. */
export function treeOf(root: number, processes: readonly ProcessStat[]): ProcessStat[] {
  const children = Map.groupBy(processes, (process) => process.parent)
  const tree = processes.filter((process) => process.pid === root)
  for (const process of tree) tree.push(...(children.get(process.pid) ?? []))
  return tree
}

/** Memory of a process that no other one shares through a file, in bytes; 0 when it is gone. */
function privateMemory(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kilobytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    return (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1024
  } catch {
    return 0
  }
}

/** Adds up what a process and its descendants use, where no control group does it. */
export function measureTree(root: number): SandboxUsage | undefined {
  const tree = treeOf(root, allProcesses())
  if (tree.length === 0) return undefined
  const sum = (of: (process: ProcessStat) => number): number =>
    tree.reduce((total, one) => total + of(one), 0)
  return {
    memoryBytes: sum((process) => privateMemory(process.pid)),
    cpuMs: sum((process) => process.cpuMs),
    processes: sum((process) => process.threads),
    oomKills: 0,
  }
}

/** The host's pid of the process that is number 2 in the namespace whose first process is `init`. */
export function commandBelow(init: number): number | undefined {
  return treeOf(init, allProcesses()).find(({ pid, parent }) => parent === init && innerPid(pid) === 2)?.pid
}

function innerPid(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1])
  } catch {
    return undefined
  }
}
