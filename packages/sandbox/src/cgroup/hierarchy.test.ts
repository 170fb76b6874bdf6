import { describe, expect, it } from 'vitest'
import { ownGroup } from './hierarchy.ts'

const v1 = `31 23 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
32 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
33 23 0:28 /docker/abc /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids
34 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`
const v1Self = '4:memory:/job/1\n3:cpu,cpuacct:/\n2:pids:/docker/abc/x\n0::/'
const v2 = '35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate'

describe('ownGroup', () => {
  it.each<[string, string, string, string | undefined, string | undefined]>([
    ['a controller of its own', v1, v1Self, 'memory', '/sys/fs/cgroup/memory/job/1'],
    ['controllers mounted together', v1, v1Self, 'cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
    ['a container that sees its own part', v1, v1Self, 'pids', '/sys/fs/cgroup/pids/x'],
    ['a group outside of what is mounted', v1, '2:pids:/elsewhere', 'pids', undefined],
    ['a controller that is not mounted', v1, v1Self, 'freezer', undefined],
    ['the hybrid second version', v1, v1Self, undefined, '/sys/fs/cgroup/unified'],
    ['the second version', v2, '0::/user.slice/a.scope', undefined, '/sys/fs/cgroup/user.slice/a.scope'],
    ['a path with a space', v2.replace('/sys/fs/cgroup', '/c\\040g'), '0::/a', undefined, '/c g/a'],
    ['nothing', '', '', undefined, undefined],
  ])('%s', (...[, mountinfo, self, controller, expected]) => {
    expect(ownGroup(mountinfo, self, controller)).toBe(expected)
  })
})
