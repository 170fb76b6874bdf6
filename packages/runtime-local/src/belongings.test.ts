import { expect, test } from 'vitest'
import { belongings, isAlive } from './belongings.ts'
import type { ProcessInfo } from './process-table.ts'
import { RunFiles, type RunnerRecord } from './run-files.ts'

const files = new RunFiles('/data', 'ses_01k0000000000000000000000a')
const mark = `A=1\0BERTH_SESSION_DIR=${files.sessionDirectory}\0`
const record: RunnerRecord = { pid: 100, start: '5', boot: 'now', generation: 1, startedAt: 0 }

const process = (pid: number, over: Partial<ProcessInfo> = {}): ProcessInfo => ({
  pid,
  parent: 1,
  group: pid,
  session: pid,
  start: '9',
  ...over,
})

const supervisor = process(100, { start: '5' })
const member = process(101, { group: 100, session: 100 })

const placeOf = (all: ProcessInfo[], environments: Record<number, string> = {}) => ({
  boot: 'now',
  table: {
    find: async (pid: number) => all.find((info) => info.pid === pid),
    all: async () => all,
    environment: async (pid: number) => environments[pid] ?? '',
  },
})

const cases: [string, ProcessInfo[], Record<number, string>, number[]][] = [
  ['the supervisor and its group', [supervisor, member, process(7)], {}, [100, 101]],
  ['another group of its session', [supervisor, process(102, { session: 100 })], {}, [100, 102]],
  [
    'descendants that left',
    [supervisor, process(103, { parent: 100 }), process(104, { parent: 103 })],
    {},
    [100, 103, 104],
  ],
  ['a process with the mark', [process(105)], { 105: mark }, [105]],
  [
    'a group without a leader, one with the mark',
    [member, process(106, { group: 100 })],
    { 101: mark },
    [101, 106],
  ],
  ['not a group without a leader and a mark', [member], {}, []],
  ['not the group of a reused pid', [process(100, { start: '8' }), member], {}, []],
  [
    'a marked process, but not its reused group',
    [process(100, { start: '8' }), member],
    { 101: mark },
    [101],
  ],
  ['not what has the mark of another session', [process(107)], { 107: `${mark.slice(0, -1)}b\0` }, []],
]

test.each(cases)('belongings: %s', async (...[, all, environments, expected]) => {
  const found = await belongings(files, record, placeOf(all, environments))
  expect(found.map(({ pid }) => pid)).toEqual(expected)
})

test('after a restart of the machine, pids count for nothing', async () => {
  const place = placeOf([supervisor, member])
  expect(await belongings(files, { ...record, boot: 'before' }, place)).toEqual([])
  expect(await isAlive({ ...record, boot: 'before' }, place)).toBe(false)
  expect(await isAlive(record, place)).toBe(true)
})
