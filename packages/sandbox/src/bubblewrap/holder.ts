import { setTimeout as delay } from 'node:timers/promises'
import type { ControlGroup, ControlGroups } from '../cgroup/control-group.ts'
import { JOIN_GROUPS } from '../cgroup/find.ts'
import { killMembers } from '../cgroup/group-files.ts'
import { newGroupName } from '../cgroup/group-name.ts'
import { clearGroup } from '../cgroup/sweep.ts'
import type { EffectiveLimits } from '../limits.ts'
import { isAlive, readStat } from '../process/process-stat.ts'
import { measureTree } from '../process/process-tree.ts'
import { ulimitScript } from '../process/rlimits.ts'
import type { SandboxUsage } from '../sandbox.ts'

/** What holds one command to its limits: a control group, or resource limits where there is none. */
export interface Holder {
  /** Shell text and its arguments, run before bubblewrap in the same process. */
  script: string
  scriptArgs: readonly string[]
  /** Put before the command, inside. */
  prefix: readonly string[]
  watchMemory: boolean
  usage(root: number | undefined): SandboxUsage | undefined
  kill(): void
  /** Ends and awaits what is left; `init` is the first process inside, by its pid outside. */
  release(init: number | undefined): Promise<void>
}

const GONE_ATTEMPTS = 1000
const GONE_INTERVAL_MS = 5

/** The kernel lets the first process of a pid namespace end only after all others in it. */
async function gone(init: number | undefined): Promise<void> {
  for (let attempt = 0; init !== undefined && attempt < GONE_ATTEMPTS; attempt++) {
    if (!isAlive(readStat(init))) return
    await delay(GONE_INTERVAL_MS)
  }
}

export function groupHolder(groups: ControlGroups, limits: EffectiveLimits): Holder {
  const group: ControlGroup = groups.create(newGroupName(), limits)
  let last: SandboxUsage | undefined
  let released = false
  const usage = (): SandboxUsage | undefined => {
    if (!released) last = group.usage()
    return last
  }
  return {
    script: JOIN_GROUPS + ulimitScript(limits, false),
    scriptArgs: [...group.directories, '--'],
    prefix: [],
    watchMemory: false,
    usage,
    kill: () => killMembers(group.directories),
    release: async (init) => {
      await gone(init)
      usage()
      released = true
      await clearGroup(group.directories)
    },
  }
}

export function rlimitHolder(prlimit: string, limits: EffectiveLimits): Holder {
  let last: SandboxUsage | undefined
  return {
    script: ulimitScript(limits, true),
    scriptArgs: [],
    // Inside, because there the kernel counts this sandbox's processes only, not all of the user's.
    prefix: [prlimit, `--nproc=${limits.processes}:${limits.processes}`, '--'],
    watchMemory: true,
    usage: (root) => {
      last = (root === undefined ? undefined : measureTree(root)) ?? last
      return last
    },
    kill: () => undefined,
    release: gone,
  }
}
