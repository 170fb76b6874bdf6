import { type GitCredential, type ProjectSettings, platformSettings } from '@berth/contract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runAgainst } from '../test-context.ts'
import { type FakeBackend, startFakeBackend } from '../test-server.ts'

const credentials: GitCredential[] = [
  { kind: 'token', as: 'basic', host: 'github.com', secret: 'github' },
  { kind: 'gitlab', host: 'git.example.com:8443', path: 'team/', secret: 'lab' },
]
const view: ProjectSettings = {
  version: 3,
  own: { gitCredentials: credentials },
  effective: { ...platformSettings, gitCredentials: credentials },
  origins: { gitCredentials: 'project' },
}

let fake: FakeBackend
beforeEach(async () => {
  fake = await startFakeBackend()
  fake.answers.getProjectSettings = view
  fake.answers.updateProjectSettings = view
  fake.answers.listBranches = { default: 'main', branches: [{ name: 'main', commit: 'a' }], more: false }
})
afterEach(() => fake.close())

const run = (...args: string[]) => runAgainst(fake.url, ['project', 'git-credential', ...args])

test('ls shows hosts and the names of secrets', async () => {
  const { out } = await run('ls', 'web')
  expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['HOST', 'PATH', 'KIND', 'SECRET'],
    ['github.com', 'token', 'github'],
    ['git.example.com:8443', 'team/', 'gitlab', 'lab'],
    [''],
  ])
  expect(JSON.parse((await run('ls', 'web', '--json')).out)).toEqual(credentials)
})

test('add and rm change the setting, and say what does not fit before anything is asked', async () => {
  const changed = 'Changed gitCredentials of web.\n'
  expect((await run('add', 'web', 'github.com', '--secret', 'new')).out).toBe(changed)
  expect((await run('rm', 'web', 'git.example.com:8443', '--path', 'team')).out).toBe(changed)
  const before = fake.requests.filter((line) => line.startsWith('PATCH')).length
  const app = await run(
    'add',
    'web',
    'github.com',
    '--kind',
    'github-app',
    '--secret',
    'key',
    '--app-id',
    '7',
  )
  expect(app).toMatchObject({ code: 2, err: expect.stringContaining('installationId') })
  expect((await run('add', 'web', 'https://github.com', '--secret', 's')).err).toContain('expected a host')
  expect((await run('rm', 'web', 'gitlab.com')).err).toContain('no credential for gitlab.com/')
  expect(fake.requests.filter((line) => line.startsWith('PATCH'))).toHaveLength(before)
})

test('test asks for branches', async () => {
  const { out } = await run('test', 'web', 'https://github.com/acme/app')
  expect(out).toBe('https://github.com/acme/app can be read: 1 branches.\n')
})
