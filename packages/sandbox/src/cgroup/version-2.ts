import { join } from 'node:path'
import type { EffectiveLimits } from '../limits.ts'
import type { SandboxUsage } from '../sandbox.ts'
import type { ControlGroup, ControlGroups } from './control-group.ts'
import {
  cpuPeriodUs,
  cpuQuotaUs,
  makeGroup,
  readKey,
  readNumber,
  tryLimit,
  writeLimit,
} from './group-files.ts'

const US_PER_MS = 1000

/** `base` is a group whose `cgroup.subtree_control` has memory and pids. */
export function version2(base: string): ControlGroups {
  return { kind: 'cgroup-v2', bases: [base], create: (name, limits) => create(join(base, name), limits) }
}

function create(directory: string, limits: EffectiveLimits): ControlGroup {
  makeGroup([directory], () => {
    writeLimit(directory, 'memory.max', String(limits.memoryBytes))
    tryLimit(directory, 'memory.swap.max', '0')
    // One process that is too big must not take the agent with it.
    tryLimit(directory, 'memory.oom.group', '0')
    writeLimit(directory, 'pids.max', String(limits.processes))
    // The controller of CPU is often not handed down: memory and processes are what protects others.
    if (limits.milliCpus !== undefined)
      tryLimit(directory, 'cpu.max', `${cpuQuotaUs(limits.milliCpus)} ${cpuPeriodUs}`)
  })
  return { directories: [directory], usage: () => measureVersion2(directory) }
}

/** What the kernel's files in a group's directory say. */
export function measureVersion2(directory: string): SandboxUsage {
  const reclaimable = readKey(directory, 'memory.stat', 'inactive_file')
  return {
    memoryBytes: Math.max(0, readNumber(directory, 'memory.current') - reclaimable),
    cpuMs: Math.round(readKey(directory, 'cpu.stat', 'usage_usec') / US_PER_MS),
    processes: readNumber(directory, 'pids.current'),
    oomKills: readKey(directory, 'memory.events', 'oom_kill'),
  }
}
