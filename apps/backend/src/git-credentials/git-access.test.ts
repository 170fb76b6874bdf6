import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GitHttpServer, startGitHttpServer } from '@berth/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commitFiles, createRepository, git } from '../checkpoints/fixtures/work.ts'
import { remoteOrigin } from '../checkpoints/push/remote-origin.ts'
import { parseGitHosts } from '../git-proxy/git-hosts.ts'
import type { Store } from '../store/port.ts'
import { gitAccess, gitRemote } from './git-access.ts'
import { GitCredentials } from './git-credentials.ts'

const token = 'CANARY-push-token'
const basic = Buffer.from(`oauth2:${token}`).toString('base64')
let value = token
let root: string
let server: GitHttpServer
let url: string
let said: string

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'berth-git-access-'))
  commitFiles(createRepository(join(root, 'source')), { 'new.txt': 'new\n' }, 'First')
  git(root, 'clone', '--quiet', '--bare', 'source', 'private.git')
  git(root, 'clone', '--quiet', '--bare', 'source', 'scratch.git')
  server = await startGitHttpServer({
    root,
    route: async ({ headers }, response, path) => {
      if (headers.authorization === `Basic ${basic}`) return path
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return undefined
    },
  })
  url = `${server.url}/private.git`
  // A git that tells what it is called with, before it does it.
  said = join(root, 'arguments')
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim()
  await mkdir(join(root, 'bin'))
  await writeFile(join(root, 'bin/git'), `#!/bin/sh\necho "$@" >>${said}\nexec ${real} "$@"\n`)
  await chmod(join(root, 'bin/git'), 0o755)
})

afterAll(async () => {
  await server.close()
  await rm(root, { recursive: true, force: true })
})

const remote = async (host: string) => {
  const hosts = parseGitHosts([new URL(server.url).host])
  const secrets = { value: async () => value }
  const outbound = { ask: () => Promise.reject(new Error('nobody is asked')) }
  const settings = { gitCredentials: [{ kind: 'gitlab' as const, host, secret: 'lab' }] }
  const store = { projectSettings: async () => ({ settings }) } as unknown as Store
  const credentials = new GitCredentials({ secrets, outbound, hosts, now: Date.now })
  const own = { path: `${join(root, 'bin')}:${process.env.PATH}`, home: root, inherited: {} }
  const actor = { kind: 'user', id: 'ada' } as const
  return gitRemote(
    gitAccess({ store, credentials, hosts }),
    own,
  )({ project: 'default', actor, url, access: 'write' })
}

it('[P196] pushes for the platform with the credential in git’s environment alone', {
  timeout: 60_000,
}, async () => {
  const ask = await remote(new URL(server.url).host)
  if (ask === undefined) throw new Error('the project has a credential')
  const origin = remoteOrigin({ remote: ask }, url)
  const before = await origin.look('work')
  expect(before).toMatchObject({ commit: undefined, head: 'main' })
  const repository = join(root, 'scratch.git')
  const commit = git(repository, 'rev-parse', 'main').trim()
  await origin.send({ repository, branch: 'work', commit, previous: undefined, force: false })
  expect((await origin.look('work')).commit).toBe(commit)
  await origin.fetch({ repository, branch: 'work' })
  for (const file of [said, join(repository, 'config')]) {
    const text = await readFile(file, 'utf8')
    expect(text).not.toContain(token)
    expect(text).not.toContain(basic)
  }
})

it('[P196] says that it was refused, not what it is', { timeout: 60_000 }, async () => {
  value = 'CANARY-wrong'
  const ask = await remote(new URL(server.url).host)
  if (ask === undefined) throw new Error('the project has a credential')
  const failure = await remoteOrigin({ remote: ask }, url)
    .look('work')
    .catch((error: Error) => error.message)
  expect(failure).toContain('the secret lab is wrong, has expired')
  expect(failure).not.toContain('CANARY')
})

it('leaves hosts without a credential to the operator', async () =>
  expect(await remote('git.example')).toBeUndefined())
