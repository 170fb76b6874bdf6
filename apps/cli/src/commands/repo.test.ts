import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { runAgainst, testContext } from '../test-context.ts'
import { type FakeBackend, playTurn, startFakeBackend } from '../test-server.ts'

let fake: FakeBackend
let session: string
beforeEach(async () => {
  fake = await startFakeBackend()
  fake.onPrompt = (id, prompt, seq) => void playTurn(fake, { session: id, prompt, seq }, { text: ['Hi'] })
  await runCli(['run', 'Hello'], testContext(fake.url))
  session = [...fake.sessions.keys()][0] ?? ''
})
afterEach(() => fake.close())

const repo = (...words: string[]) => runAgainst(fake.url, ['repo', ...words])

const added = () => fake.sessions.get(session)?.log.find((event) => event.type === 'repository.added')?.data

test('repositories are added as the options say', async () => {
  const url = 'https://example.com/lib.git'
  const words = ['add', 'last', `${url}#main`, '--name', 'mine', '--depth', '3', '--partial', '--submodules']
  const { code, out } = await repo(...words)
  expect(code).toBe(0)
  expect(out).toContain('Added mine. It is being cloned.')
  expect(added()).toEqual({
    repository: { url, branch: 'main', name: 'mine', depth: 3, partial: true, submodules: true },
  })
  expect((await repo('add', 'last', url, '--depth', '0')).code).not.toBe(0)
})

test('repo ls shows how far each is, and what git says', async () => {
  expect((await repo('ls', 'last')).out).toContain('No repositories. Add one')
  await repo('add', 'last', 'https://example.com/lib.git', '--name', 'lib')
  fake.append(session, {
    type: 'repository.state',
    data: { name: 'lib', state: 'failed', message: 'Gone.\u001b[31m' },
  })
  const state = {
    name: 'lib',
    head: 'berth/x',
    ahead: 2,
    behind: 1,
    changed: 3,
    branches: [],
    lfsPointers: 4,
  }
  fake.answers.getSessionGit = { source: 'live', at: '2030-01-01T00:00:00.000Z', repositories: [state] }
  const { out } = await repo('ls', 'last')
  expect(out).toMatch(/lib {2}failed: Gone\./)
  expect(out).not.toContain('\u001b[31m')
  expect(out).toContain('on berth/x, 2 ahead, 1 behind, 3 changed, 0 branches, 4 LFS pointers')
  expect((await repo('retry', 'last', 'lib')).out).toContain('Trying lib again.')
  const show = testContext(fake.url)
  await runCli(['show', 'last'], show)
  expect(show.stdout()).toContain('lib  pending')
})

test('repo rm says when it happens, and passes a refusal on', async () => {
  await repo('add', 'last', 'https://example.com/lib.git', '--name', 'lib')
  expect((await repo('rm', 'last', 'lib')).out).toContain('Removed lib. It is being taken away.')
  await repo('add', 'last', 'https://example.com/dirty.git', '--name', 'dirty')
  const { code, err } = await repo('rm', 'last', 'dirty')
  expect([code === 0, err]).toEqual([false, expect.stringContaining('work that would be lost')])
  expect((await repo('rm', 'last', 'dirty', '--force')).code).toBe(0)
})

test('branches of a repository, the default one marked', async () => {
  const branches = ['main', 'next'].map((name) => ({ name, commit: 'a'.repeat(40) }))
  fake.answers.listBranches = { default: 'main', branches, more: true }
  const context = testContext(fake.url)
  expect(await runCli(['branches', 'https://example.com/lib.git'], context)).toBe(0)
  expect(context.stdout()).toBe('* main  aaaaaaaaaa\n  next  aaaaaaaaaa\n  There are more.\n')
})
