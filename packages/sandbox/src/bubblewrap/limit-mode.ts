import { release } from 'node:os'
import type { ControlGroups } from '../cgroup/control-group.ts'
import { findControlGroups } from '../cgroup/find.ts'
import type { EffectiveLimits } from '../limits.ts'
import { findProgram } from '../process/find-program.ts'
import type { Holder } from './holder.ts'
import { groupHolder, rlimitHolder } from './holder.ts'

export type LimitMode =
  | { kind: 'groups'; groups: ControlGroups; detail: string }
  | { kind: 'rlimits'; prlimit: string; detail: string }
  | { kind: 'impossible'; problem: string; repair: string }

/** Since then the kernel counts processes per user namespace. */
const NPROC_KERNEL = [5, 14] as const

function hasNamespaceCounts(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10))
  return major > NPROC_KERNEL[0] || (major === NPROC_KERNEL[0] && minor >= NPROC_KERNEL[1])
}

/** Finds what can hold commands to their limits here. */
export function findLimitMode(preference: 'auto' | 'rlimits'): LimitMode {
  const groups = preference === 'auto' ? findControlGroups() : undefined
  if (groups) return { kind: 'groups', groups, detail: `limits by control groups (${groups.kind})` }
  const impossible = (problem: string, repair: string): LimitMode => ({ kind: 'impossible', problem, repair })
  const prlimit = findProgram('prlimit', '/usr/bin:/bin')
  if (process.getuid?.() === 0) {
    return impossible(
      'Root’s processes can’t be limited in number here: control groups are not writable.',
      'Run Berth as an ordinary user, or make /sys/fs/cgroup writable.',
    )
  }
  if (!hasNamespaceCounts(release())) {
    return impossible(
      `Linux ${release()} can’t limit the processes of a single sandbox without control groups.`,
      'Use Linux 5.14 or newer, or run Berth in a delegated control group: systemd-run --user --scope -p Delegate=yes',
    )
  }
  if (!prlimit) {
    return impossible(
      'The program prlimit is missing.',
      'Install util-linux (on Alpine: apk add util-linux-misc).',
    )
  }
  const detail =
    'limits by rlimits: memory is bounded per process and watched in sum, control groups would be stricter'
  return { kind: 'rlimits', prlimit, detail }
}

/** Throws when a control group can't be made after all. */
export function holderFor(mode: Exclude<LimitMode, { kind: 'impossible' }>, limits: EffectiveLimits): Holder {
  return mode.kind === 'groups' ? groupHolder(mode.groups, limits) : rlimitHolder(mode.prlimit, limits)
}
