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

test('test says what each credential is, and asks for branches', async () => {
  const item = { host: 'github.com', kind: 'token', secret: 'github', warnings: [] } as const
  const expiresAt = '2030-03-01T10:00:00.000Z'
  const good = { ...item, state: 'ok', account: 'ada\u001b[2J', scopes: ['repo'], expiresAt } as const
  const warned = { ...good, warnings: ['A classic token opens everything.'] }
  const unknown = { ...item, path: 'team/', state: 'unknown', message: 'It did not answer' } as const
  fake.answers.testGitCredentials = { ok: true, items: [warned, unknown] }
  const { out, code } = await run('test', 'web', 'https://github.com/acme/app')
  expect([code, out.split('\n')]).toEqual([
    0,
    [
      '✓ github.com (token, secret github)',
      '  of ada␛[2J',
      '  allows repo',
      '  until 2030-03-01',
      '  ! A classic token opens everything.',
      '? github.com/team/ (token, secret github)',
      '  It did not answer',
      'https://github.com/acme/app can be read: 1 branches.',
      '',
    ],
  ])
  fake.answers.testGitCredentials = { ok: false, items: [{ ...item, state: 'refused', message: 'revoked' }] }
  expect(await run('test', 'web')).toMatchObject({
    ...{ code: 1, out: '✗ github.com (token, secret github)\n  revoked\n' },
    err: expect.stringContaining('Not every credential works.'),
  })
  fake.answers.testGitCredentials = { ok: true, items: [] }
  expect((await run('test', 'web')).out).toBe('The project has no git credentials.\n')
})
