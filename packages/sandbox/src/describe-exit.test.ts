import { describe, expect, it } from 'vitest'
import { describeExit, type EndCause, type RawExit } from './describe-exit.ts'
import { compileLimits } from './limits.ts'
import type { SandboxExitReason } from './sandbox.ts'

const limits = compileLimits({ memoryBytes: 64 * 1024 ** 2, wallClockMs: 500 })
const killed = { code: null, signal: 'SIGKILL' } as const

describe('describeExit', () => {
  it.each<[string, RawExit, EndCause | undefined, number, SandboxExitReason, string]>([
    ['a plain end', { code: 3, signal: null }, undefined, 0, 'exit', 'code 3'],
    ['a crash', { code: null, signal: 'SIGSEGV' }, undefined, 0, 'exit', 'SIGSEGV'],
    ['an OOM kill', killed, undefined, 1, 'out-of-memory', '64 MiB'],
    [
      'a child’s OOM kill that the command passed on',
      { code: 137, signal: null },
      undefined,
      2,
      'out-of-memory',
      '64 MiB',
    ],
    [
      'a child’s OOM kill that the command survived',
      { code: 0, signal: null },
      undefined,
      2,
      'exit',
      '2 of the processes',
    ],
    ['a watch that saw too much memory', killed, 'out-of-memory', 0, 'out-of-memory', '64 MiB'],
    ['a kill', killed, 'killed', 0, 'killed', 'on request'],
    ['a kill after an OOM kill', killed, 'killed', 1, 'killed', 'on request'],
    ['the time limit', killed, 'time-limit', 0, 'time-limit', '500 ms'],
    ['a sandbox killed by somebody', { ...killed, foreign: true }, undefined, 0, 'killed', 'from outside'],
    [
      'no start',
      { code: null, signal: null, failure: 'no such file' },
      'killed',
      0,
      'spawn-failed',
      'no such file',
    ],
  ])('%s', (...[, raw, cause, oomKills, reason, message]) => {
    const usage = { memoryBytes: 0, cpuMs: 0, processes: 0, oomKills }
    const exit = describeExit({ raw, cause, usage, limits })
    expect(exit).toMatchObject({ code: raw.code, signal: raw.signal, reason })
    expect(exit.message).toContain(message)
  })
})
