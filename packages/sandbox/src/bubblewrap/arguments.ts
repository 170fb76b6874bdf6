import type { EffectiveLimits } from '../limits.ts'
import type { SandboxCommand } from '../sandbox.ts'
import type { ResolvedMount } from './mounts.ts'
import type { SystemFiles } from './system-files.ts'
import { AGENT_ID, HOSTNAME } from './system-files.ts'

export interface ArgumentSources {
  command: SandboxCommand
  mounts: readonly ResolvedMount[]
  limits: EffectiveLimits
  system: SystemFiles
  /** Descriptors by which bubblewrap gets the filter, reports its state, and reads files by their path inside. */
  descriptors: { seccomp: number; status: number; files: readonly { path: string; descriptor: number }[] }
}

const isolation = (): string[] => [
  '--unshare-all',
  '--unshare-user',
  '--disable-userns',
  '--die-with-parent',
  '--new-session',
  ...['--cap-drop', 'ALL'],
  ...['--uid', String(AGENT_ID), '--gid', String(AGENT_ID)],
  ...['--hostname', HOSTNAME],
]

const readOnly = (path: string): string[] => ['--ro-bind', path, path]

function systemArguments({ system, limits, descriptors }: ArgumentSources): string[] {
  const size = String(limits.temporaryBytes)
  return [
    ...['--tmpfs', '/'],
    ...system.directories.flatMap(readOnly),
    ...system.links.flatMap(({ path, target }) => ['--symlink', target, path]),
    ...descriptors.files.flatMap(({ path, descriptor }) => [
      '--perms',
      '0644',
      '--file',
      String(descriptor),
      path,
    ]),
    ...['--proc', '/proc'],
    ...system.readOnlyProc.flatMap(readOnly),
    ...system.maskedProc.flatMap((path) => ['--ro-bind', '/dev/null', path]),
    ...['--dev', '/dev', '--perms', '1777', '--size', size, '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...['--perms', '1777', '--size', size, '--tmpfs', '/tmp'],
    ...['--dir', '/run', '--dir', '/var', '--symlink', '../tmp', '/var/tmp'],
  ]
}

/**
 * bubblewrap's options, to be handed over by `--args`: argument lists are readable for everybody on the
 * machine, and the environment must reach the command alone. (Given to bubblewrap itself, a variable such as
 * LD_PRELOAD that a project sets would load the agent's code outside the sandbox.)
 */
export function bubblewrapArguments(sources: ArgumentSources): string[] {
  const { command, mounts, descriptors } = sources
  return [
    ...isolation(),
    ...['--seccomp', String(descriptors.seccomp), '--json-status-fd', String(descriptors.status)],
    ...systemArguments(sources),
    ...mounts.flatMap(({ path, mode, target }) => [mode === 'rw' ? '--bind' : '--ro-bind', path, target]),
    ...(command.door ? ['--ro-bind', command.door.socket, command.door.target] : []),
    ...['--remount-ro', '/', '--chdir', command.cwd, '--clearenv'],
    ...Object.entries(command.env).flatMap(([name, value]) => ['--setenv', name, value]),
  ]
}
