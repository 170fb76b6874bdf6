import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SealingKey, Secret } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Context } from '../context.ts'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, person, startFakeBackend } from '../test-server.ts'

const at = '2026-01-01T00:00:00.000Z'
const header: Secret = {
  ...{ name: 'search', kind: 'http-header', note: 'of the search', version: 2, fingerprint: 'f' },
  ...{ visibleToAgent: false, createdAt: at, setAt: at, setBy: person, usable: true },
}
const shown: Secret = {
  ...header,
  ...{ name: 'npm', kind: 'environment', variable: 'NPM_TOKEN', visibleToAgent: true, version: 1 },
}

let fake: FakeBackend
let directory: string
beforeEach(async () => {
  fake = await startFakeBackend()
  directory = await mkdtemp(join(tmpdir(), 'berth-secret-'))
})
afterEach(async () => {
  await fake.close()
  await rm(directory, { recursive: true })
})

const run = (args: string[], changes: Partial<Context> = {}) =>
  runAgainst(fake.url, ['secret', ...args], changes)

test('set takes the value from standard input or a file, without the end of its line', async () => {
  fake.answers.putSecret = header
  const set = ['set', 'search', '--project', 'web', '--kind', 'http-header', '--note', 'of the search']
  const { out } = await run(set, { readInput: async () => 'Bearer abc 1\n' })
  expect(out).toBe('The secret search is set (version 2).\n')
  expect(fake.requests).toEqual(['PUT /api/projects/web/secrets/search'])
  const body = { kind: 'http-header', value: 'Bearer abc 1', note: 'of the search' }
  expect(fake.said.putSecret?.body).toEqual(body)
  const file = join(directory, 'value')
  await writeFile(file, 'Bearer abc 2\r\n')
  await run([...set, '--file', file])
  expect(fake.said.putSecret?.body).toEqual({ ...body, value: 'Bearer abc 2' })
})

test('set asks a person without echo, and warns of what the agent will see', async () => {
  fake.answers.putSecret = shown
  const asked: string[] = []
  const secret = async (question: string) => {
    asked.push(question)
    return 'token of npm 1'
  }
  const args = ['set', 'npm', '--kind', 'environment', '--var', 'NPM_TOKEN']
  const changes = { inputIsTty: true, person: { secret } as Context['person'] }
  const { out } = await run(args, changes)
  expect(asked).toEqual(['Value (not shown)'])
  expect(fake.said.putSecret?.body).toMatchObject({ value: 'token of npm 1', variable: 'NPM_TOKEN' })
  expect(out).toContain('Visible to the agent: as NPM_TOKEN')
})

test('set changes nothing without a value, and takes none as an argument', async () => {
  const set = ['set', 'search', '--kind', 'http-header']
  expect(await run(set, { readInput: async () => '\n' })).toMatchObject({
    code: 2,
    err: expect.stringContaining('Nothing was changed'),
  })
  const missing = await run([...set, '--file', join(directory, 'missing')])
  expect(missing).toMatchObject({ code: 2, err: expect.stringContaining("can't be read (ENOENT)") })
  expect((await run([...set, 'Bearer abc 1'])).code).toBe(2)
  expect(fake.requests).toEqual([])
})

test('ls shows who sees each, and rm says for how long values stay hidden', async () => {
  fake.answers.listSecrets = { items: [header, shown, { ...header, name: 'old', usable: false }] }
  const { out } = await run(['ls'])
  expect(out.split('\n').map((line) => line.split(/ {2,}/)[5])).toEqual([
    ...['SEEN BY', 'the backend only', 'the agent, as NPM_TOKEN', 'nobody: set it anew', undefined],
  ])
  expect(JSON.parse((await run(['ls', '--json'])).out)).toHaveLength(3)
  fake.answers.deleteSecret = {}
  expect((await run(['rm', 'old', '--force'])).out).toContain('30 more days')
  expect(fake.said.deleteSecret?.query).toMatchObject({ force: 'true' })
})

test('keys tells which may go, and rekey goes on until nothing is left that can be sealed', async () => {
  const key = { values: 0, current: false, present: true }
  const items: SealingKey[] = [
    { ...key, id: 'new', values: 3, current: true },
    { ...key, id: 'old' },
    { ...key, id: 'lost', values: 1, present: false },
  ]
  fake.answers.listSealingKeys = { items }
  const { out } = await run(['keys'])
  for (const words of ['current', 'may be taken out of the key file', 'missing']) expect(out).toContain(words)
  fake.answers.rekeySecrets = { done: 2, left: 1, unusable: 1 }
  expect((await run(['rekey'])).out).toBe(
    "2 values were sealed anew.\n1 can't be: their key is missing. Set these secrets anew.\n",
  )
})
