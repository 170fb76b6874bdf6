import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { coveringInherited } from '../bubblewrap/inherited-descriptors.ts'
import { readSystemFiles } from '../bubblewrap/system-files.ts'
import { withUnlinkedFiles } from '../bubblewrap/unlinked-files.ts'
import type { ControlGroup } from '../cgroup/control-group.ts'
import { findControlGroups, JOIN_GROUPS } from '../cgroup/find.ts'
import { newGroupName } from '../cgroup/group-name.ts'
import { clearGroup } from '../cgroup/sweep.ts'
import { compileLimits } from '../limits.ts'
import { findProgram } from '../process/find-program.ts'
import { allProcesses } from '../process/process-stat.ts'
import { sendSignal } from '../process/signal.ts'
import type { SandboxMount } from '../sandbox.ts'
import { seccompFilter } from '../seccomp/filter.ts'

/** What stands in for a container of a pod in tests: namespaces, a user and group of its own, no capabilities, limits. */
export interface ContainerOptions {
  /** The launcher's; its directory is shown inside under the same path, and made. */
  socket: string
  mounts: readonly SandboxMount[]
  user: number
  /** The group that it shares with the runner. */
  group: number
  endWithClient?: boolean
  /** Of the whole container. Default: no limit. */
  memoryBytes?: number
  temporaryBytes?: number
  /** Paths inside that lead to others, e.g. of this checkout. */
  links?: readonly { path: string; to: string }[]
}

export interface Container {
  /** Tells its first process to end, as a kubelet does. */
  terminate(): void
  /** Kills all of it at once, as the kernel does for its memory. */
  kill(): void
  readonly ended: Promise<unknown>
  /** Ends it and removes its control group. */
  close(): Promise<void>
}

const launcher = fileURLToPath(new URL('../container/launcher-main.ts', import.meta.url))
const repository = fileURLToPath(new URL('../../../..', import.meta.url))
const FILTER_FD = 3

/** Why there can be no such containers here; undefined: there can. */
export const containersImpossible = ((): string | undefined => {
  if (process.platform !== 'linux') return 'containers are Linux’s'
  if (process.getuid?.() !== 0) return 'only root can start processes of other users'
  const missing = ['bwrap', 'setpriv'].find((name) => findProgram(name, process.env.PATH ?? '') === undefined)
  return missing === undefined ? undefined : `${missing} is not installed`
})()

const readOnly = (path: string): string[] => ['--ro-bind', path, path]

/** bubblewrap would make the directories above a mount its user's own. */
function above(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => {
    const names = path.split('/').slice(1, -1)
    return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
  })
  return [...new Set(all)].sort().flatMap((path) => ['--perms', '0755', '--dir', path])
}

function system(temporaryBytes: number, targets: readonly string[]): string[] {
  const { directories, links, readOnlyProc, maskedProc } = readSystemFiles()
  const size = String(temporaryBytes)
  const own = [repository, dirname(process.execPath)]
  return [
    ...['--tmpfs', '/'],
    ...above([...directories, ...own]),
    ...directories.flatMap(readOnly),
    ...links.flatMap(({ path, target }) => ['--symlink', target, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--remount-ro', '/dev'],
    // As the runtimes of containers do.
    ...readOnlyProc.flatMap(readOnly),
    ...maskedProc.flatMap((path) => ['--ro-bind', '/dev/null', path]),
    ...['--perms', '1777', '--size', size, '--tmpfs', '/tmp'],
    ...['--dir', '/var', '--dir', '/run'],
    ...above(targets),
    // Launcher and programs are run from their sources here; in an image they are bundled.
    ...own.flatMap(readOnly),
  ]
}

/** A container sees its own control group where the whole tree would be. */
function groupArguments(group: ControlGroup | undefined, kind: string | undefined): string[] {
  return (group?.directories ?? []).flatMap((directory) => {
    const controller = kind === 'cgroup-v1' ? `/${directory.split('/')[4]}` : ''
    return ['--ro-bind', directory, `/sys/fs/cgroup${controller}`]
  })
}

const user = ({ user: uid, group }: ContainerOptions): string[] => [
  'setpriv',
  ...[`--reuid=${uid}`, `--regid=${group}`, '--clear-groups'],
  ...['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'],
  // The change of users undoes bubblewrap's own.
  ...['--pdeathsig', 'KILL'],
]

/** Starts a container with a launcher. */
export function startContainer(options: ContainerOptions): Container {
  const { socket, mounts, memoryBytes, temporaryBytes = 256 * 1024 ** 2, endWithClient, links = [] } = options
  const directory = dirname(socket)
  if (!existsSync(directory)) mkdirSync(directory, { recursive: true })
  chownSync(directory, options.user, options.group)
  const groups = memoryBytes === undefined ? undefined : findControlGroups()
  const group = groups?.create(newGroupName(), compileLimits({ memoryBytes, processes: 4096 }))
  const argumentsOfBwrap = [
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net', '--as-pid-1'],
    ...['--die-with-parent', '--new-session', '--clearenv', '--seccomp', String(FILTER_FD)],
    ...system(temporaryBytes, [
      socket,
      '/sys/fs/cgroup/x',
      ...mounts.map(({ path, target = path }) => target),
    ]),
    ...above(links.map(({ path }) => path)),
    ...links.flatMap(({ path, to }) => ['--symlink', to, path]),
    ...groupArguments(group, groups?.kind),
    ...mounts.flatMap(({ path, mode, target = path }) => [
      mode === 'rw' ? '--bind' : '--ro-bind',
      path,
      target,
    ]),
    ...['--bind', directory, directory, '--remount-ro', '/', '--chdir', '/', '--'],
  ]
  const command = [
    ...['bwrap', ...argumentsOfBwrap, ...user(options)],
    ...[process.execPath, launcher, '--socket', socket],
    ...(endWithClient === true ? ['--end-with-client'] : []),
  ]
  const script = ['-c', `${JOIN_GROUPS} exec "$@"`, 'sh', ...(group?.directories ?? []), '--', ...command]
  const child = withUnlinkedFiles([seccompFilter(process.arch) ?? ''], (fds) =>
    coveringInherited(['ignore', 'inherit', 'inherit', ...fds], (stdio) =>
      spawn('/bin/sh', script, { stdio }),
    ),
  )
  const ended = once(child, 'exit')
  return {
    terminate: () => signalFirst(child, 'SIGTERM'),
    kill: () => signalFirst(child, 'SIGKILL'),
    ended,
    async close() {
      signalFirst(child, 'SIGKILL')
      await ended
      if (group !== undefined) await clearGroup(group.directories)
    },
  }
}

/** To the first process of the namespace, which is bubblewrap's child. */
function signalFirst({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  const first = allProcesses().find(({ parent }) => parent === pid)
  if (first !== undefined) sendSignal(first.pid, signal)
}
