import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { transcriptHas } from './transcript.ts'

let home: string

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'transcript-'))
})

afterEach(() => rm(home, { recursive: true, force: true }))

const conversation = '11111111-0000-4000-8000-000000000000'
const uuid = '22222222-0000-7000-8000-000000000000'

test('finds a message by its uuid, however its transcript ends', async () => {
  const directory = join(home, '.claude', 'projects', '-work')
  await mkdir(directory, { recursive: true })
  const lines = [
    JSON.stringify({ type: 'user', uuid }),
    JSON.stringify({ type: 'user', parentUuid: 'other' }),
    `{"uuid":"cut`,
  ]
  await writeFile(join(directory, `${conversation}.jsonl`), lines.join('\n'))
  expect(await transcriptHas(home, conversation, uuid)).toBe(true)
  expect(await transcriptHas(home, conversation, 'other')).toBe(false)
  expect(await transcriptHas(home, conversation, 'cut')).toBe(false)
})

test('without a transcript there is no message; what is no id is refused', async () => {
  expect(await transcriptHas(home, conversation, uuid)).toBe(false)
  await expect(transcriptHas(home, '../../etc/passwd', uuid)).rejects.toMatchObject({
    code: 'conversation-not-found',
  })
})
