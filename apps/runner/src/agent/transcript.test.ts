import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openTranscripts } from './transcript.ts'

const conversation = '0199e0a0-0000-7000-8000-000000000001'
const uuid = '0199e0a0-0000-7000-8000-00000000abcd'
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'berth-home-'))
  mkdirSync(join(home, '.claude/projects/-workspace'), { recursive: true })
})
afterEach(() => rmSync(home, { recursive: true, force: true }))
const path = () => join(home, '.claude/projects/-workspace', `${conversation}.jsonl`)

it('finds a message wherever it stands', async () => {
  const filler = `${JSON.stringify({ uuid: 'x', text: 'y'.repeat(1000) })}\n`
  const transcripts = openTranscripts(home)
  for (const before of [0, 1, 1047, 1048, 1049]) {
    writeFileSync(path(), filler.repeat(before) + JSON.stringify({ uuid }))
    expect(await transcripts.has(conversation, ['other', uuid]), `${before}`).toBe(true)
    expect(await transcripts.has(conversation, ['other'])).toBe(false)
  }
})

it('says whether there is anything to go on with', async () => {
  const transcripts = openTranscripts(home)
  expect(await transcripts.mend(conversation)).toBe(false)
  writeFileSync(path(), '')
  expect(await transcripts.mend(conversation)).toBe(false)
  writeFileSync(path(), '{}\n')
  expect(await transcripts.mend(conversation)).toBe(true)
  expect(await openTranscripts(join(home, 'missing')).mend(conversation)).toBe(false)
})

it('follows no link, waits for no pipe, and leaves the directory for no id', async () => {
  const transcripts = openTranscripts(home)
  writeFileSync(join(home, 'secret.jsonl'), JSON.stringify({ uuid }))
  symlinkSync(join(home, 'secret.jsonl'), path())
  expect(await transcripts.has(conversation, [uuid])).toBe(false)
  rmSync(path())
  execFileSync('mkfifo', [path()])
  expect(await transcripts.has(conversation, [uuid])).toBe(false)
  expect(await transcripts.has('../../../secret', [uuid])).toBe(false)
})

it.each(['.claude', '.claude/projects', '.claude/projects/-workspace'])(
  'looks at nothing outside of the home when %s is a link',
  async (place) => {
    writeFileSync(path(), JSON.stringify({ uuid }))
    const transcripts = openTranscripts(home)
    expect(await transcripts.has(conversation, [uuid])).toBe(true)
    const outside = mkdtempSync(join(tmpdir(), 'berth-elsewhere-'))
    renameSync(join(home, place), join(outside, 'moved'))
    symlinkSync(join(outside, 'moved'), join(home, place))
    expect(await transcripts.mend(conversation)).toBe(false)
    expect(await transcripts.has(conversation, [uuid])).toBe(false)
    rmSync(outside, { recursive: true })
  },
)

it('passes by what is no directory, and links, to the one that has it', async () => {
  writeFileSync(join(home, '.claude/projects/a-file'), '')
  execFileSync('mkfifo', [join(home, '.claude/projects/a-pipe')])
  symlinkSync('/proc/self', join(home, '.claude/projects/a-link'))
  writeFileSync(path(), JSON.stringify({ uuid }))
  expect(await openTranscripts(home).has(conversation, [uuid])).toBe(true)
})
