import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BerthError, parseEvent } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { testContext } from '../test-context.ts'
import { type FakeBackend, playTurn, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
let dir: string
beforeEach(async () => {
  fake = await startFakeBackend()
  dir = await mkdtemp(join(tmpdir(), 'berth-export-'))
  fake.onPrompt = (session, prompt, seq) => {
    const turn = playTurn(fake, { session, prompt, seq }, { text: ['See ', '```\n<b>'] })
    const used = { inputTokens: 1000, outputTokens: 200, cacheReadTokens: 0, cacheWriteTokens: 0 }
    fake.append(session, {
      type: 'model.usage',
      data: { turn, model: 'm', ...used, costUsd: 0.5, durationMs: 1, partial: false },
    })
  }
  await runCli(['run', 'Say <script>'], testContext(fake.url))
})
afterEach(async () => {
  await fake.close()
  await rm(dir, { recursive: true })
})

test('[P76] as JSON lines it is the whole log', async () => {
  const context = testContext(fake.url)
  expect(await runCli(['export', 'last', '--format', 'jsonl'], context)).toBe(0)
  const events = context
    .stdout()
    .trimEnd()
    .split('\n')
    .map((line) => parseEvent(JSON.parse(line)))
  const [log] = [...fake.sessions.values()].map((session) => session.log)
  expect(events).toEqual(log)
})

test('as Markdown it is the conversation', async () => {
  const context = testContext(fake.url)
  expect(await runCli(['export', 'last'], context)).toBe(0)
  const text = context.stdout()
  expect(text).toMatch(/^# Say &#60;script&#62;\n/)
  expect(text).toMatch(/\n## Ann, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n\n> Say &lt;script>\n/)
  expect(text).toContain('**Agent**\n\n> See ```\n> &lt;b>\n')
  expect(text).toContain(
    '<details><summary>Bash npm test</summary>\n\n```json\n{\n  "command": "npm test"\n}\n```',
  )
  expect(text).toContain('Result:\n\n```\nok 1\nok 2\n```\n\n</details>')
  expect(text).toContain('*✓ done in 1.2 s · 1.2k tokens · $0.5000*')
})

test('a file is there as a whole or not at all, and none is replaced unasked', async () => {
  const file = join(dir, 'session.md')
  const context = testContext(fake.url)
  const args = ['export', 'last', '-o', file]
  expect(await runCli(args, context)).toBe(0)
  expect(await readFile(file, 'utf8')).toContain('## Ann')
  expect((await stat(file)).mode & 0o077).toBe(0)
  expect(await runCli(args, context)).toBe(6)
  expect(context.stderr()).toContain('add --force to replace it')
  await writeFile(file, 'old')
  fake.answers.listEvents = new BerthError('internal', 'Broken.')
  expect(await runCli([...args, '--force'], testContext(fake.url))).toBe(7)
  expect(await readFile(file, 'utf8')).toBe('old')
  expect(await readdir(dir)).toEqual(['session.md'])
  delete fake.answers.listEvents
  expect(await runCli([...args, '--force'], context)).toBe(0)
  expect(await readFile(file, 'utf8')).toContain('## Ann')
  const nowhere = testContext(fake.url)
  expect(await runCli(['export', 'last', '-o', join(dir, 'none', 'x.md')], nowhere)).toBe(6)
  expect(nowhere.stderr()).toContain('can’t be written: its directory does not exist')
})
