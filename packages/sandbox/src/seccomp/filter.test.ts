import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BpfInstruction } from './bpf.ts'
import { opcode } from './bpf.ts'
import {
  action,
  auditArch,
  conditional,
  NEW_NAMESPACES,
  seccompFilter,
  seccompProgram,
  X32_BIT,
} from './filter.ts'
import type { SeccompArch, SyscallName } from './syscalls.ts'
import { syscalls } from './syscalls.ts'

interface Call {
  arch: number
  syscall: number
  args?: number[]
}

/** Decodes and runs the compiled bytes as the kernel would. */
function run(bytes: Uint8Array, call: Call): number {
  const view = new DataView(bytes.buffer)
  const word = (offset: number): number =>
    offset === 0 ? call.syscall : offset === 4 ? call.arch : (call.args?.[(offset - 16) / 8] ?? 0)
  let loaded = 0
  for (let at = 0; at < bytes.length; at += 8) {
    const { code, jt, jf, k }: BpfInstruction = {
      code: view.getUint16(at, true),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, true),
    }
    const jump = (passed: boolean) => {
      at += 8 * (passed ? jt : jf)
    }
    if (code === opcode.return) return k
    if (code === opcode.loadWord) loaded = word(k) >>> 0
    else if (code === opcode.jumpEqual) jump(loaded === k)
    else if (code === opcode.jumpAtLeast) jump(loaded >= k)
    else if (code === opcode.jumpAnySet) jump((loaded & k) !== 0)
    else throw new Error(`unknown instruction ${code}`)
  }
  throw new Error('the program ends without an answer')
}

const names = Object.keys(syscalls) as SyscallName[]

describe.each<SeccompArch>(['x64', 'arm64'])('seccomp filter for %s', (arch) => {
  const bytes = seccompFilter(arch) ?? new Uint8Array()
  const answer = (name: SyscallName, args: number[] = []): number =>
    run(bytes, { arch: auditArch[arch], syscall: syscalls[name][arch] ?? -1, args })

  it('denies every named call with an error', () => {
    for (const name of names.filter((name) => !conditional.has(name) && syscalls[name][arch] !== undefined)) {
      expect(answer(name), name).toBe(action.notPermitted)
    }
  })

  it.each<[string, SyscallName, number[], number]>([
    ['a thread', 'clone', [0x3d0f00], action.allow],
    ['a fork', 'clone', [0x1200011], action.allow],
    ['a user namespace', 'clone', [0x1000_0011], action.notPermitted],
    ['a network namespace', 'clone', [0x4000_0011], action.notPermitted],
    ['clone3', 'clone3', [], action.notImplemented],
    ['unshare of the open files', 'unshare', [0x400], action.allow],
    ['unshare of the users', 'unshare', [0x1000_0000], action.notPermitted],
    ['unshare of the time', 'unshare', [0x80], action.notPermitted],
    ['openat2', 'openat2', [], action.notImplemented],
    ['an ordinary mode', 'fchmodat', [0, 0, 0o755], action.allow],
    ['the sticky bit', 'fchmod', [0, 0o1777], action.allow],
    ['set-user-id', 'fchmodat', [0, 0, 0o4755], action.notPermitted],
    ['set-group-id', 'fchmod', [0, 0o2755], action.notPermitted],
    ['set-user-id by fchmodat2', 'fchmodat2', [0, 0, 0o4755], action.notPermitted],
    ['a new file', 'openat', [0, 0, 0o101, 0o644], action.allow],
    ['a new file with set-user-id', 'openat', [0, 0, 0o101, 0o4755], action.notPermitted],
    ['a nameless file with set-user-id', 'openat', [0, 0, 0o20200001, 0o4755], action.notPermitted],
    ['junk in the mode when nothing is made', 'openat', [0, 0, 0, 0o7777], action.allow],
    ['a device with set-user-id', 'mknodat', [0, 0, 0o104755], action.notPermitted],
    ['AF_UNIX', 'socket', [1, 1, 0], action.allow],
    ['AF_INET', 'socket', [2, 1, 0], action.allow],
    ['AF_INET6', 'socket', [10, 1, 0], action.allow],
    ['netlink for routes', 'socket', [16, 3, 0], action.allow],
    ['netlink for audit', 'socket', [16, 3, 9], action.notPermitted],
    ['AF_VSOCK', 'socket', [40, 1, 0], action.familyNotSupported],
    ['AF_PACKET', 'socket', [17, 3, 0], action.familyNotSupported],
    ['AF_ALG', 'socket', [38, 5, 0], action.familyNotSupported],
    ['the size of a terminal', 'ioctl', [0, 0x5413], action.allow],
    ['TIOCSTI', 'ioctl', [0, 0x5412], action.notPermitted],
    ['TIOCLINUX', 'ioctl', [0, 0x541c], action.notPermitted],
  ])('%s', (...[, name, args, expected]) => {
    expect(answer(name, args)).toBe(expected)
  })

  it('refuses clone exactly when a namespace is asked for', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (flags) => {
        const refused = (flags & NEW_NAMESPACES) !== 0
        expect(answer('clone', [flags])).toBe(refused ? action.notPermitted : action.allow)
      }),
    )
  })

  it('allows every call that it does not name', () => {
    const named = new Set<number | undefined>(names.map((name) => syscalls[name][arch]))
    fc.assert(
      fc.property(fc.nat(600), (syscall) => {
        fc.pre(!named.has(syscall))
        expect(run(bytes, { arch: auditArch[arch], syscall })).toBe(action.allow)
      }),
    )
  })

  it('ends a process that uses another instruction set', () => {
    const foreign = arch === 'x64' ? 0x4000_0003 : 0x4000_0028
    expect(run(bytes, { arch: foreign, syscall: 1 })).toBe(action.kill)
  })

  it('stays far below the kernel’s limit of 4096 instructions', () => {
    expect(seccompProgram(arch).length).toBeLessThan(256)
  })
})

it('ends a process that uses the x32 interface', () => {
  const bytes = seccompFilter('x64') ?? new Uint8Array()
  expect(run(bytes, { arch: auditArch.x64, syscall: X32_BIT | 101 })).toBe(action.kill)
})

it('has no filter for an unknown architecture', () => {
  expect(seccompFilter('riscv64')).toBeUndefined()
})
