import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createMcpLogs } from './mcp-logs.ts'

let home: string
let server: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'berth-mcp-'))
  server = join(home, '.cache', 'claude-cli-nodejs', '-workspace', 'mcp-logs-db')
  mkdirSync(server, { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true }))

const open = () => {
  const lines: string[] = []
  const logs = createMcpLogs({
    home,
    since: new Date('2026-01-31T12:00:00.000Z'),
    onLine: (line) => lines.push(line),
  })
  return { lines, look: logs.look }
}
const said = (error: string) => `${JSON.stringify({ error, timestamp: 'now' })}\n`

test('tells what servers said since the start, line by line, each once', async () => {
  const { lines, look } = open()
  const file = join(server, '2026-01-31T12-00-01-000Z.jsonl')
  writeFileSync(join(server, '2026-01-31T11-59-59-000Z.jsonl'), said('old'))
  writeFileSync(file, `${JSON.stringify({ debug: 'connecting' })}\n${said('Server stderr: one\ntwo\n')}{"err`)
  await look()
  expect(lines).toEqual(['mcp db: one', 'mcp db: two'])
  appendFileSync(file, `or":"Grüße"}\nnot JSON\n`)
  await look()
  await look()
  expect(lines.slice(2)).toEqual(['mcp db: Grüße'])
})

test('a flood costs no more than a part of it, and says so', async () => {
  const { lines, look } = open()
  const file = join(server, '2026-01-31T12-00-01-000Z.jsonl')
  writeFileSync(file, said('x'.repeat(1000)).repeat(1000))
  await look()
  expect(lines.length).toBeLessThan(70)
  expect(lines.at(-1)).toMatch(/^mcp db: … \d+ bytes left out$/)
  appendFileSync(file, said('after'))
  await look()
  expect(lines.at(-1)).toBe('mcp db: after')
})

test('what the agent puts in the way is not read, and holds nobody', async () => {
  const { lines, look } = open()
  const secret = join(home, 'secret.jsonl')
  writeFileSync(secret, said('secret'))
  symlinkSync(secret, join(server, '2027-01-01T00-00-00-000Z.jsonl'))
  symlinkSync(home, join(server, '..', 'mcp-logs-link'))
  execFileSync('mkfifo', [join(server, '2027-01-02T00-00-00-000Z.jsonl')])
  mkdirSync(join(server, '2027-01-03T00-00-00-000Z.jsonl'))
  await look()
  expect(lines).toEqual([])
  rmSync(join(home, '.cache'), { recursive: true })
  symlinkSync(home, join(home, '.cache'))
  await look()
  expect(lines).toEqual([])
})
