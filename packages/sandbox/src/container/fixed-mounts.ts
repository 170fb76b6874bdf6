import { CommandRefused } from '../command.ts'
import type { SandboxCommand, SandboxMount } from '../sandbox.ts'

/** What is below a path, or `''` for the path itself; undefined when it is elsewhere. */
function below(path: string, root: string): string | undefined {
  if (path === root) return ''
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined
}

const targetOf = ({ path, target }: SandboxMount): string => target ?? path

function covers(fixed: SandboxMount, wanted: SandboxMount): boolean {
  const inside = below(targetOf(wanted), targetOf(fixed))
  return (
    inside !== undefined &&
    inside === below(wanted.path, fixed.path) &&
    (fixed.mode === 'rw' || wanted.mode === 'ro')
  )
}

/**
 * The mounts of a container are fixed: refuses a command that wants others, wider ones, or the same in another place. A
 * container may show more than a command asks for.
 */
export function requireMounts(
  command: Pick<SandboxCommand, 'mounts' | 'door'>,
  container: { name: string; mounts: readonly SandboxMount[] },
): void {
  const { door } = command
  const wanted: SandboxMount[] = [
    ...command.mounts,
    ...(door ? [{ path: door.socket, mode: 'ro' as const, target: door.target }] : []),
  ]
  for (const mount of wanted) {
    if (container.mounts.some((fixed) => covers(fixed, mount))) continue
    const what = mount.mode === 'rw' ? 'for writing' : 'for reading'
    throw new CommandRefused(
      `the container "${container.name}" does not have ${mount.path} at ${targetOf(mount)} ${what}. Its mounts are fixed.`,
    )
  }
}
