import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BerthError, type PushResult } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { runAgainst, testContext } from '../test-context.ts'
import { type FakeBackend, nextId, playTurn, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
let dir: string
const turns: string[] = []
beforeEach(async () => {
  fake = await startFakeBackend()
  dir = await mkdtemp(join(tmpdir(), 'berth-checkpoints-'))
  fake.onPrompt = (session, prompt, seq) => void playTurn(fake, { session, prompt, seq })
  await runCli(['run', 'Work'], testContext(fake.url))
  turns.splice(0, turns.length, nextId('turn'), nextId('turn'))
  const item = (number: number, turn?: string) => ({
    number,
    turn,
    at: '2030-01-01T00:00:00.000Z',
    reason: 'turn',
    files: 3,
    size: 2048,
    seq: 10 * number,
  })
  fake.answers.listCheckpoints = { items: [item(4, turns[1]), item(3, turns[1]), item(2), item(1, turns[0])] }
})
afterEach(async () => {
  await fake.close()
  await rm(dir, { recursive: true })
})

const run = (...args: string[]) =>
  runAgainst(fake.url, args, { now: () => Date.parse('2030-01-01T02:00:00.000Z') })

test('berth checkpoints lists turns by number, each once', async () => {
  expect((await run('checkpoints', 'last')).out).toBe(
    `TURN  AGE  FILES   ADDED  ID\n   1  2 h      3  2.0 KB  ${turns[0]}\n   2  2 h      3  2.0 KB  ${turns[1]}\n`,
  )
  fake.answers.listCheckpoints = { items: [] }
  expect((await run('checkpoints', 'last')).err).toContain('No checkpoint of a turn yet')
})

test('berth restore takes a turn by number from either end, or by id', async () => {
  fake.answers.restoreWorkspace = [...fake.sessions.values()][0]?.state.summary
  for (const [text, turn] of [
    ['1', turns[0]],
    ['-1', turns[1]],
    [turns[0] ?? '', turns[0]],
  ] as const) {
    expect(await run('restore', 'last', '--turn', text)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Restoring the files of \w{6} \(Work\)\n$/),
    })
    expect(fake.said.restoreWorkspace?.body).toEqual({ turn })
  }
  expect(await run('restore', 'last', '--turn', '3')).toMatchObject({
    code: 6,
    err: expect.stringContaining('The session has 2'),
  })
  expect((await run('restore', 'last', '--turn', 'first')).code).toBe(2)
  expect((await run('restore', 'last')).code).toBe(2)
})

test('berth fork sends what was asked for and prints the new id', async () => {
  const summary = [...fake.sessions.values()][0]?.state.summary
  fake.answers.forkSession = { ...summary, project: 'other' }
  const forked = await run(
    'fork',
    'last',
    'Try',
    'again',
    '--turn',
    '-2',
    '--to',
    'other',
    '-l',
    'a=b',
    '--title',
    'Mine',
  )
  expect(forked).toMatchObject({ code: 0, out: `${summary?.id}\n` })
  expect(forked.err).toContain('--project other')
  expect(fake.said.forkSession?.body).toEqual({
    turn: turns[0],
    project: 'other',
    title: 'Mine',
    labels: { a: 'b' },
    prompt: 'Try again',
  })
  await run('fork', 'last')
  expect(fake.said.forkSession?.body).toEqual({})
})

test('berth push says where the work is, and what git refused', async () => {
  const result: PushResult = {
    repository: 'lib',
    url: 'https://example.com/lib.git',
    branch: 'fix',
    commit: 'a'.repeat(40),
    previous: 'b'.repeat(40),
    unchanged: false,
    forced: true,
    committed: true,
    checkpoint: 3,
    running: turns[0],
  }
  fake.answers.pushSession = result
  const args = ['--branch', 'fix', '--repository', 'lib', '--force', '--leave-uncommitted', '-m', 'Fix']
  expect((await run('push', 'last', ...args)).out).toBe(
    'Pushed: fix at https://example.com/lib.git (aaaaaaaaaa, was bbbbbbbbbb, forced, with uncommitted work)\n' +
      'A turn is under way; what it does is not in the push.\n',
  )
  expect(fake.said.pushSession?.body).toEqual({
    branch: 'fix',
    repository: 'lib',
    force: true,
    uncommitted: 'leave',
    message: 'Fix',
  })
  fake.answers.pushSession = {
    ...result,
    unchanged: true,
    forced: false,
    committed: false,
    running: undefined,
  }
  expect((await run('push', 'last')).out).toBe(
    'Already there: fix at https://example.com/lib.git (aaaaaaaaaa)\n',
  )
  fake.answers.pushSession = new BerthError('push_rejected', 'It is checked out there.')
  expect(await run('push', 'last')).toMatchObject({
    code: 6,
    err: expect.stringContaining('It is checked out there.'),
  })
})

test('berth bundle writes a file that is whole', async () => {
  fake.answers.getBundle = '# v2 git bundle\n'
  const file = join(dir, 'work.bundle')
  const { code, err } = await run('bundle', 'last', '-o', file, '--full')
  expect([code, err]).toEqual([0, expect.stringContaining(`git fetch ${file} berth/ses_`)])
  expect(await readFile(file, 'utf8')).toBe('# v2 git bundle\n')
  expect(fake.said.getBundle?.query).toEqual({ history: 'full', uncommitted: 'include' })
  fake.answers.getBundle = new BerthError('changes_not_found', 'Nothing changed.')
  expect((await run('bundle', 'last', '-o', join(dir, 'none'))).code).toBe(6)
  expect((await run('bundle', 'last', '-o', join(dir, 'no/where'))).code).not.toBe(0)
  expect(await readdir(dir)).toEqual(['work.bundle'])
})

test('export and attach show the chat from before a fork first', async () => {
  const log = [...fake.sessions.values()][0]?.log ?? []
  fake.answers.getHistory = log.map((event) => `${JSON.stringify(event)}\n`).join('')
  const summary = [...fake.sessions.values()][0]?.state.summary
  const before = { project: 'default', session: nextId('session') }
  fake.answers.listSessions = { items: [{ ...summary, fork: before }], revision: 1 }
  const lines = (await run('export', 'last', '--format', 'jsonl')).out.trimEnd().split('\n')
  expect(lines).toHaveLength(2 * log.length)
  const text = (await run('export', 'last')).out
  expect(text.split('\n> Work\n')).toHaveLength(3)
})
