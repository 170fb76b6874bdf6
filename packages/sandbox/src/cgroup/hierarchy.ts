import { resolve } from 'node:path'

interface Hierarchy {
  version: 1 | 2
  /** Empty for version 2, where each group lists its own. */
  controllers: readonly string[]
  mountPoint: string
  /** The group that is mounted there. */
  root: string
}

/** Control group mounts in `/proc/self/mountinfo`. */
function hierarchies(mountinfo: string): Hierarchy[] {
  return mountinfo.split('\n').flatMap((line): Hierarchy[] => {
    const [left = '', right = ''] = line.split(' - ')
    const [type, , options = ''] = right.split(' ')
    const [, , , root = '/', mountPoint = ''] = left.split(' ').map(readable)
    if (type === 'cgroup2') return [{ version: 2, controllers: [], mountPoint, root }]
    return type === 'cgroup' ? [{ version: 1, controllers: options.split(','), mountPoint, root }] : []
  })
}

/** The kernel writes spaces and such in paths as `\040`. */
function readable(path: string): string {
  return path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** This process's group in a hierarchy, by `/proc/self/cgroup`. */
function ownPath(selfCgroup: string, controller: string | undefined): string | undefined {
  for (const line of selfCgroup.split('\n')) {
    const [id, names = '', ...path] = line.split(':')
    const matches =
      controller === undefined ? id === '0' && names === '' : names.split(',').includes(controller)
    if (matches) return path.join(':')
  }
  return undefined
}

/**
 * The directory of this process's own group for a controller of version 1, or of version 2 when no
 * controller is named. `undefined` when it is not mounted, or mounted without our group in it.
 */
export function ownGroup(mountinfo: string, selfCgroup: string, controller?: string): string | undefined {
  const path = ownPath(selfCgroup, controller)
  const hierarchy = hierarchies(mountinfo).find((one) =>
    controller === undefined ? one.version === 2 : one.controllers.includes(controller),
  )
  if (path === undefined || !hierarchy) return undefined
  const root = hierarchy.root === '/' ? '' : hierarchy.root
  if (path !== root && !path.startsWith(`${root}/`)) return undefined
  return resolve(hierarchy.mountPoint, `.${path.slice(root.length)}`)
}
