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

/** A group in each hierarchy: the driver's own, in which new ones are made, so that limits on the driver hold too. */
export interface Version1Bases {
  memory: string
  pids: string
  /** Missing: CPU is not limited. */
  cpu: string | undefined
  /** Only measures. */
  cpuacct: string | undefined
}

const NS_PER_MS = 1_000_000

export function version1(bases: Version1Bases): ControlGroups {
  const all = Object.values(bases).filter((base) => base !== undefined)
  return {
    kind: 'cgroup-v1',
    bases: all,
    create: (name, limits) => create(bases, name, limits),
  }
}

function create(bases: Version1Bases, name: string, limits: EffectiveLimits): ControlGroup {
  const memory = join(bases.memory, name)
  const pids = join(bases.pids, name)
  const cpu = bases.cpu && join(bases.cpu, name)
  const cpuacct = bases.cpuacct && join(bases.cpuacct, name)
  // Some systems mount several controllers together: the same directory then.
  const directories = [...new Set([memory, pids, cpu, cpuacct])].filter((path) => path !== undefined)
  makeGroup(directories, () => {
    writeLimit(memory, 'memory.limit_in_bytes', String(limits.memoryBytes))
    tryLimit(memory, 'memory.memsw.limit_in_bytes', String(limits.memoryBytes))
    writeLimit(pids, 'pids.max', String(limits.processes))
    if (cpu === undefined || limits.milliCpus === undefined) return
    // Refused when it is more than the driver's own group has, whose limit holds then.
    tryLimit(cpu, 'cpu.cfs_period_us', String(cpuPeriodUs))
    tryLimit(cpu, 'cpu.cfs_quota_us', String(cpuQuotaUs(limits.milliCpus)))
  })
  return {
    directories,
    usage: () => measureVersion1({ memory, pids, cpuacct }),
  }
}

/** What the kernel's files in a group's directories say. */
export function measureVersion1({ memory, pids, cpuacct }: Omit<Version1Bases, 'cpu'>): SandboxUsage {
  const reclaimable = readKey(memory, 'memory.stat', 'total_inactive_file')
  return {
    memoryBytes: Math.max(0, readNumber(memory, 'memory.usage_in_bytes') - reclaimable),
    cpuMs: cpuacct ? Math.round(readNumber(cpuacct, 'cpuacct.usage') / NS_PER_MS) : 0,
    processes: readNumber(pids, 'pids.current'),
    oomKills: readKey(memory, 'memory.oom_control', 'oom_kill'),
  }
}
