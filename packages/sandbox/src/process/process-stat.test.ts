import { describe, expect, it } from 'vitest'
import { isAlive, parseStat, readStat } from './process-stat.ts'
import { treeOf } from './process-tree.ts'
import { parseHardLimits } from './rlimits.ts'
import { decodeStatus } from './signal.ts'

const line = (name: string, state = 'S'): string =>
  `42 (${name}) ${state} 7 40 40 0 -1 4194560 1 2 3 4 15 5 0 0 20 0 3 0 9876 1000 50 18446744073709551615`

describe('parseStat', () => {
  it.each(['node', 'a b', 'a) S 1 (b', ')', ''])('reads past the name %j', (name) => {
    const expected = {
      pid: 42,
      state: 'S',
      parent: 7,
      group: 40,
      session: 40,
      threads: 3,
      cpuMs: 200,
      startTime: 9876,
    }
    expect(parseStat(line(name))).toEqual(expected)
  })

  it('knows the living from the dead', () => {
    expect(isAlive(readStat(process.pid))).toBe(true)
    expect(isAlive(parseStat(line('x', 'Z')))).toBe(false)
    expect(isAlive(undefined)).toBe(false)
  })
})

it('treeOf finds descendants, in any order', () => {
  const process = (pid: number, parent: number) => ({ ...parseStat(line('x')), pid, parent })
  const all = [process(5, 4), process(4, 2), process(3, 1), process(2, 1), process(6, 2), process(1, 0)]
  expect(treeOf(2, all).map(({ pid }) => pid)).toEqual([2, 4, 6, 5])
  expect(treeOf(9, all)).toEqual([])
})

it('parseHardLimits reads numbers and their absence', () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max file size             1024                 2048                 bytes
Max data size             unlimited            4096                 bytes
Max open files            1024                 524288               files`
  expect(parseHardLimits(text)).toEqual({
    cpu: Number.POSITIVE_INFINITY,
    file: 2048,
    data: 4096,
    open: 524288,
  })
})

it.each([
  [0, { code: 0, signal: null }],
  [127, { code: 127, signal: null }],
  [128, { code: 128, signal: null }],
  [137, { code: null, signal: 'SIGKILL' }],
  [143, { code: null, signal: 'SIGTERM' }],
  [255, { code: 255, signal: null }],
])('decodeStatus(%i)', (status, expected) => {
  expect(decodeStatus(status)).toEqual(expected)
})
