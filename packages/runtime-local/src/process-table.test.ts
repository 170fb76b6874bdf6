import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { parsePs, parseStat, processTable, procTable, psTable, readBootId } from './process-table.ts'

const tail = 'S 10 20 30 0 -1 4194304 117 0 0 0 0 0 0 0 20 0 1 0 221427 3133440 382'

test.each([
  ['a plain name', `7 (cat) ${tail}`],
  ['a name with blanks and parentheses', `7 (a) R 1 (b) ${tail}`],
  ['a name with a newline', `7 (a\nb) ${tail}`],
])('a stat line with %s', (_, line) => {
  expect(parseStat(line)).toEqual({ pid: 7, parent: 10, group: 20, session: 30, start: '221427' })
})

test.each(['', '7 (cat', `7 (cat) Z${tail.slice(1)}`, `7 (cat) X${tail.slice(1)}`])(
  'no living process in %j',
  (line) => {
    expect(parseStat(line)).toBeUndefined()
  },
)

test('a line of ps', () => {
  const start = 'Sun Nov 23 21:00:00 2025'
  expect(parsePs(`  7    10   20 Ss+  ${start}  `)).toEqual({
    pid: 7,
    parent: 10,
    group: 20,
    session: 20,
    start,
  })
  expect(parsePs(`  7    10   20 Z    ${start}`)).toBeUndefined()
  expect(parsePs('')).toBeUndefined()
})

test('both tables see a process live and end', async () => {
  const child = spawn('sleep', ['1000'], { detached: true, env: { ...process.env, MARK: 'here' } })
  const pid = child.pid ?? 0
  for (const table of new Set([processTable, psTable])) {
    const found = await table.find(pid)
    expect(found).toMatchObject({ pid, parent: process.pid, group: pid, session: pid })
    expect(found?.start).not.toBe('')
    expect(await table.all()).toContainEqual(found)
  }
  if (processTable === procTable) expect(await procTable.environment(pid)).toContain('MARK=here\0')
  child.kill('SIGKILL')
  await once(child, 'exit')
  for (const table of new Set([processTable, psTable])) expect(await table.find(pid)).toBeUndefined()
})

test('the supervisor and ps agree on a start time', async () => {
  const line = 'LC_ALL=C TZ=UTC0 ps -o lstart= -p "$1"'
  const said = execFileSync('sh', ['-c', line, 'sh', String(process.pid)], { encoding: 'utf8' })
  expect((await psTable.find(process.pid))?.start).toBe(said.trim())
})

test('the boot id is safe to print inside quotes', async () => {
  expect(await readBootId()).toMatch(/^[0-9A-Za-z-]+$/)
})
