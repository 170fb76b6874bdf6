import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'

const O_CLOEXEC = 0o2000000
const MAX_DESCRIPTOR = 4096

/** Open descriptors of this process that its children would get, though Node didn't open them. */
function inheritedDescriptors(): number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => fd > 2 && fd < MAX_DESCRIPTOR && !closesOnExec(fd))
}

function closesOnExec(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return (Number.parseInt(flags ?? '0', 8) & O_CLOEXEC) !== 0
  } catch {
    // Closed meanwhile: it was the one by which the list was read.
    return true
  }
}

type Stdio = ('pipe' | 'ignore' | 'inherit' | number)[]

/**
 * Runs `use` with a list in which /dev/null stands for each descriptor that this process itself inherited.
 * They would reach the agent otherwise, as open doors out of the sandbox: neither Node nor bubblewrap closes
 * them.
 */
export function coveringInherited<T>(stdio: Stdio, use: (covered: Stdio) => T): T {
  const inherited = inheritedDescriptors().filter((fd) => fd >= stdio.length)
  const nothing = openSync('/dev/null', 'r')
  try {
    const covered = [...stdio]
    for (const fd of inherited) {
      while (covered.length < fd) covered.push('ignore')
      covered[fd] = nothing
    }
    return use(covered)
  } finally {
    closeSync(nothing)
  }
}
