import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { compileLimits } from '../limits.ts'
import type { ControlGroups } from './control-group.ts'
import { removeGroup } from './group-files.ts'
import { newGroupName } from './group-name.ts'
import { ownGroup } from './hierarchy.ts'
import { version1 } from './version-1.ts'
import { version2 } from './version-2.ts'

/** Shell text: the shell joins the groups in its arguments up to `--`, and drops these arguments. */
export const JOIN_GROUPS = `set -e
while [ "$1" != -- ]; do echo 0 >"$1/cgroup.procs"; shift; done
shift
`

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Tries it: permissions, mount options and delegation have too many rules to predict. */
function usable(groups: ControlGroups): boolean {
  try {
    const { directories } = groups.create(newGroupName(), compileLimits())
    const join = spawnSync('/bin/sh', ['-c', `${JOIN_GROUPS} exit 0`, 'sh', ...directories, '--'], {
      env: {},
    })
    return removeGroup(directories) && join.status === 0
  } catch {
    return false
  }
}

/** The nearest group above (or at) ours that hands memory and pids down to groups inside it. */
function version2Base(own: string): string | undefined {
  for (let base = own; base.length > 1; base = dirname(base)) {
    const control = read(join(base, 'cgroup.subtree_control')).trim().split(' ')
    if (control.includes('memory') && control.includes('pids')) return base
  }
  return undefined
}

/** Control groups that this process may make, `undefined` when it may not (an ordinary user mostly). */
export function findControlGroups(): ControlGroups | undefined {
  const mountinfo = read('/proc/self/mountinfo')
  const self = read('/proc/self/cgroup')
  const memory = ownGroup(mountinfo, self, 'memory')
  const pids = ownGroup(mountinfo, self, 'pids')
  const cpu = ownGroup(mountinfo, self, 'cpu')
  const cpuacct = ownGroup(mountinfo, self, 'cpuacct')
  const own = ownGroup(mountinfo, self)
  const base = own && version2Base(own)
  const candidates = [
    ...(base ? [version2(base)] : []),
    ...(memory && pids
      ? [
          version1({ memory, pids, cpu, cpuacct }),
          version1({ memory, pids, cpu: undefined, cpuacct }),
          version1({ memory, pids, cpu: undefined, cpuacct: undefined }),
        ]
      : []),
  ]
  return candidates.find(usable)
}
