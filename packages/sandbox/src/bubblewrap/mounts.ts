import { realpathSync, statSync } from 'node:fs'
import { CommandRefused } from '../command.ts'
import type { SandboxDoor, SandboxMount } from '../sandbox.ts'

export interface ResolvedMount {
  path: string
  mode: 'ro' | 'rw'
  target: string
}

/** What the sandbox itself provides there must not be covered. */
const RESERVED = ['/', '/bin', '/etc', '/lib', '/lib64', '/run', '/sbin', '/tmp', '/usr', '/var', '/var/tmp']
const RESERVED_TREES = ['/dev', '/proc', '/sys']

const tidy = (path: string): string =>
  `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
const isInside = (path: string, parent: string): boolean =>
  path.startsWith(parent === '/' ? '/' : `${parent}/`)

/**
 * Checks mounts and puts outer ones before inner ones. Throws CommandRefused for a path that isn't there, is
 * neither file nor directory (sockets come in by the door only), covers a system directory, or is a link
 * inside a writable mount, which the agent could have pointed anywhere.
 */
export function resolveMounts(mounts: readonly SandboxMount[]): ResolvedMount[] {
  const resolved = mounts.map(({ path, mode, target }) => ({
    path: tidy(path),
    mode,
    target: tidy(target ?? path),
  }))
  const writable = resolved.filter(({ mode }) => mode === 'rw').map(({ path }) => path)
  for (const mount of resolved) checkMount(mount, writable)
  return resolved.sort((a, b) => a.target.split('/').length - b.target.split('/').length)
}

function checkMount({ path, target }: ResolvedMount, writable: readonly string[]): void {
  const refuse = (why: string): never => {
    throw new CommandRefused(`the mount of ${path} ${why}.`)
  }
  if (RESERVED.includes(target) || RESERVED_TREES.some((tree) => tree === target || isInside(target, tree))) {
    refuse(`at ${target} would cover a part of the system`)
  }
  if (path === '/') refuse('would show the whole machine')
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) refuse('is not possible: there is no such file or directory')
  else if (!stat.isDirectory() && !stat.isFile()) refuse('is refused: it is neither a file nor a directory')
  if (
    writable.some((parent) => isInside(path, parent)) &&
    realpathSync(path) !== realpathOfParent(path, writable)
  ) {
    refuse('is refused: it leads through a link that the sandboxed command could have made')
  }
}

/** The path with the links above its writable parent resolved, and none below. */
function realpathOfParent(path: string, writable: readonly string[]): string {
  const parent = writable.find((one) => isInside(path, one)) ?? '/'
  return realpathSync(parent) + path.slice(parent.length)
}

/** Throws CommandRefused when the door isn't a socket. */
export function checkDoor(door: SandboxDoor): void {
  const stat = statSync(door.socket, { throwIfNoEntry: false })
  if (!stat?.isSocket()) throw new CommandRefused(`the door ${door.socket} is not a socket.`)
  if (!isInside(tidy(door.target), '/run')) {
    throw new CommandRefused(`the door must appear below /run inside, not at ${door.target}.`)
  }
}
