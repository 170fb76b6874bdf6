/** One instruction of classic BPF, `jt` and `jf` as distances. */
export interface BpfInstruction {
  code: number
  jt: number
  jf: number
  k: number
}

/** Opcodes, as `linux/bpf_common.h` composes them. */
export const opcode = {
  loadWord: 0x20,
  jumpEqual: 0x15,
  jumpAtLeast: 0x35,
  jumpAnySet: 0x45,
  return: 0x06,
} as const

/** Offsets in the kernel's `struct seccomp_data`; arguments are 64 bits wide, low word first. */
export const seccompData = {
  syscall: 0,
  arch: 4,
  argument: (index: number): number => 16 + 8 * index,
} as const

export const load = (offset: number): BpfInstruction => ({ code: opcode.loadWord, jt: 0, jf: 0, k: offset })
export const give = (action: number): BpfInstruction => ({ code: opcode.return, jt: 0, jf: 0, k: action })

type Test = 'jumpEqual' | 'jumpAtLeast' | 'jumpAnySet'

/** Runs `then` when the loaded word passes the test, else goes on behind it. */
export function when(test: Test, k: number, then: readonly BpfInstruction[]): BpfInstruction[] {
  if (then.length > 255) throw new RangeError('A jump in BPF reaches 255 instructions at most.')
  return [{ code: opcode[test], jt: 0, jf: then.length, k }, ...then]
}

/** The same, when it does not pass. */
export function unless(test: Test, k: number, then: readonly BpfInstruction[]): BpfInstruction[] {
  if (then.length > 255) throw new RangeError('A jump in BPF reaches 255 instructions at most.')
  return [{ code: opcode[test], jt: then.length, jf: 0, k }, ...then]
}

/** The bytes of `struct sock_filter[]`, for the little-endian machines that Berth runs on. */
export function assemble(program: readonly BpfInstruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(program.length * 8))
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(index * 8, code, true)
    view.setUint8(index * 8 + 2, jt)
    view.setUint8(index * 8 + 3, jf)
    view.setUint32(index * 8 + 4, k, true)
  }
  return new Uint8Array(view.buffer)
}
