import type { EffectiveLimits } from '../limits.ts'
import type { SandboxUsage } from '../sandbox.ts'

/** Where control groups can be made. One is made per spawn and removed at its end. */
export interface ControlGroups {
  readonly kind: 'cgroup-v1' | 'cgroup-v2'
  /** Directories in which the groups lie; sweeping looks there. */
  readonly bases: readonly string[]
  /** Makes a group with these limits. Throws when the kernel refuses; then nothing is left behind. */
  create(name: string, limits: EffectiveLimits): ControlGroup
}

export interface ControlGroup {
  /** A process joins by writing its pid into `cgroup.procs` of each. */
  readonly directories: readonly string[]
  usage(): SandboxUsage
}
