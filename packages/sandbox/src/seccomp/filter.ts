import type { BpfInstruction } from './bpf.ts'
import { assemble, give, load, seccompData, unless, when } from './bpf.ts'
import type { SeccompArch, SyscallName } from './syscalls.ts'
import { syscalls } from './syscalls.ts'

const ERRNO = 0x0005_0000
export const action = {
  allow: 0x7fff_0000,
  kill: 0x8000_0000,
  notPermitted: ERRNO | 1,
  notImplemented: ERRNO | 38,
  familyNotSupported: ERRNO | 97,
} as const

export const auditArch: Record<SeccompArch, number> = { x64: 0xc000_003e, arm64: 0xc000_00b7 }

/** Calls of the x32 interface carry this bit; they would slip past a table of x64 numbers. */
export const X32_BIT = 0x4000_0000

/** NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
export const NEW_NAMESPACES = 0x7e02_0000
const CLONE_NEWTIME = 0x80

const family = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const
const NETLINK_ROUTE = 0
/** TIOCSTI and TIOCLINUX write into a terminal's input. */
const terminalInjection = [0x5412, 0x541c] as const

/** S_ISUID and S_ISGID. */
const SET_ID_BITS = 0o6000
/** O_CREAT and __O_TMPFILE; without them the mode argument means nothing and may hold anything. */
const CREATES = 0o100 | 0o20000000

/** Calls whose flags or mode are behind a pointer that a filter can't follow: "not there" has a fallback. */
const hidden: readonly SyscallName[] = ['clone3', 'openat2']

/** Where a mode is among the arguments. */
const modes: Partial<Record<SyscallName, number>> = {
  chmod: 1,
  fchmod: 1,
  fchmodat: 2,
  fchmodat2: 2,
  creat: 1,
  mknod: 1,
  mknodat: 2,
}

/** Where flags and mode of an opening call are among the arguments. */
const openings: Partial<Record<SyscallName, { flags: number; mode: number }>> = {
  open: { flags: 1, mode: 2 },
  openat: { flags: 2, mode: 3 },
}

/** Calls with a rule of their own. */
export const conditional: ReadonlySet<SyscallName> = new Set<SyscallName>([
  ...hidden,
  ...(Object.keys(modes) as SyscallName[]),
  ...(Object.keys(openings) as SyscallName[]),
  ...(['clone', 'unshare', 'socket', 'ioctl'] as const),
])

/** Denied whatever their arguments are: other processes' memory, the kernel's keys, mounts, modules, clocks. */
const denied = (Object.keys(syscalls) as SyscallName[]).filter((name) => !conditional.has(name))

const argument = (index: number, test: readonly BpfInstruction[]): BpfInstruction[] => [
  load(seccompData.argument(index)),
  ...test,
  give(action.allow),
]

/** Netlink only to list interfaces and routes, which the C library does; all other families don't exist. */
function socketRule(): BpfInstruction[] {
  const allow = [give(action.allow)]
  return [
    load(seccompData.argument(0)),
    ...when('jumpEqual', family.unix, allow),
    ...when('jumpEqual', family.inet, allow),
    ...when('jumpEqual', family.inet6, allow),
    ...when('jumpEqual', family.netlink, [
      load(seccompData.argument(2)),
      ...when('jumpEqual', NETLINK_ROUTE, allow),
      give(action.notPermitted),
    ]),
    give(action.familyNotSupported),
  ]
}

type Of = (name: SyscallName, then: BpfInstruction[]) => BpfInstruction[]

/**
 * No file with set-id bits: it would carry the driver's identity, root's perhaps, and wait in the workspace for
 * somebody outside to run it.
 */
function setIdRules(of: Of): BpfInstruction[] {
  const refuse = [give(action.notPermitted)]
  const checkMode = (index: number): BpfInstruction[] =>
    argument(index, when('jumpAnySet', SET_ID_BITS, refuse))
  return [
    ...Object.entries(modes).flatMap(([name, mode]) => of(name as SyscallName, checkMode(mode))),
    ...Object.entries(openings).flatMap(([name, { flags, mode }]) =>
      of(name as SyscallName, argument(flags, when('jumpAnySet', CREATES, checkMode(mode)))),
    ),
  ]
}

function rules(arch: SeccompArch): BpfInstruction[] {
  const refuse = [give(action.notPermitted)]
  const of: Of = (name, then) => {
    const number = syscalls[name][arch]
    return number === undefined ? [] : when('jumpEqual', number, then)
  }
  return [
    ...denied.flatMap((name) => of(name, refuse)),
    ...hidden.flatMap((name) => of(name, [give(action.notImplemented)])),
    ...setIdRules(of),
    ...of('clone', argument(0, when('jumpAnySet', NEW_NAMESPACES, refuse))),
    ...of('unshare', argument(0, when('jumpAnySet', NEW_NAMESPACES | CLONE_NEWTIME, refuse))),
    ...of(
      'ioctl',
      argument(
        1,
        terminalInjection.flatMap((request) => when('jumpEqual', request, refuse)),
      ),
    ),
    ...of('socket', socketRule()),
  ]
}

/** The filter as instructions: everything is allowed but what the rules name. */
export function seccompProgram(arch: SeccompArch): BpfInstruction[] {
  return [
    load(seccompData.arch),
    ...unless('jumpEqual', auditArch[arch], [give(action.kill)]),
    load(seccompData.syscall),
    ...(arch === 'x64' ? when('jumpAtLeast', X32_BIT, [give(action.kill)]) : []),
    ...rules(arch),
    give(action.allow),
  ]
}

/**
 * The compiled filter for the architecture as `process.arch` names it; `undefined` when there is none.
 * Refused calls get an error (EPERM, ENOSYS, EAFNOSUPPORT), so that programs can fall back; a foreign
 * instruction set or the x32 interface ends the process.
 */
export function seccompFilter(arch: string): Uint8Array | undefined {
  return arch === 'x64' || arch === 'arm64' ? assemble(seccompProgram(arch)) : undefined
}
