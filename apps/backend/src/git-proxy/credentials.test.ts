import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Settings, sessionBranch } from '@berth/contract'
import type { GitHttpServer } from '@berth/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { git, writeFiles } from '../checkpoints/fixtures/work.ts'
import type { TestBackend } from '../test-backend.ts'
import { type GitSession, startGitSession } from './test-git.ts'

const secret = 'CANARY-token-4711'
const rotated = 'CANARY-token-4712'

let world: GitSession
let root: string
let server: GitHttpServer
let backend: TestBackend
let session: string
let through: GitSession['through']
let clone: GitSession['clone']
/** What the git server takes. */
let valid = secret

const basic = (password: string) => `Basic ${Buffer.from(`x-access-token:${password}`).toString('base64')}`
const host = () => new URL(server.url).host

beforeAll(async () => {
  world = await startGitSession({
    name: 'private',
    commits: [1, 2].map((n) => ({ 'a.txt': `${n}\n` })),
    repositories: ['private', 'moved'],
    route: async (request, response, path) => {
      if (request.headers.authorization === basic(valid)) {
        if (!path.startsWith('/moved/')) return path
        const location = `http://other.example${path.replace('moved', 'private.git')}?service=git-upload-pack`
        response.writeHead(302, { location }).end()
        return undefined
      }
      response
        .writeHead(401, { 'www-authenticate': 'Basic realm="git"' })
        .end(`not ${request.headers.authorization}`)
      return undefined
    },
  })
  ;({ root, server, backend, session, through, clone } = world)
})

beforeEach(async () => {
  valid = secret
  await setSecret(secret)
  await set({ gitCredentials: [{ kind: 'token', host: host(), as: 'basic', secret: 'git-token' }] })
})

afterAll(() => world.close())

const setSecret = async (value: string) => {
  const body = { kind: 'git-host', value }
  const answer = await backend.call('/api/projects/default/secrets/git-token', { method: 'PUT', body })
  expect(answer.status).toBe(200)
}

const set = async (body: Settings) => {
  const path = '/api/projects/default/settings'
  const { version } = (await backend.call<{ version: number }>(path)).body
  const answer = await backend.call(path, { method: 'PATCH', body, headers: { 'if-match': `"${version}"` } })
  expect(answer.status).toBe(200)
}

const events = async (type: string) =>
  (await backend.parts.store.eventsOfType(session, { type, limit: 50 })).map(
    ({ json }) => JSON.parse(json) as { actor: unknown; data: Record<string, unknown> },
  )

const audited = () => {
  const database = new DatabaseSync(join(backend.directory, 'berth.db'), { readOnly: true })
  const rows = database.prepare("SELECT result FROM audit WHERE action = 'git.pushed'").all()
  database.close()
  return rows.map(({ result }) => result)
}

/** An API key that may run sessions. */
const editorKey = async () => {
  const body = { name: 'bot', role: 'editor' }
  const made = await backend.call<{ id: string; secret: string }>('/api/projects/default/keys', { body })
  return { key: made.body.id, token: made.body.secret }
}

/** Everything that was logged, stored or answered. */
const everything = async () =>
  [
    ...backend.log,
    await readFile(join(backend.directory, 'berth.db'), 'latin1'),
    await readFile(join(backend.directory, 'berth.db-wal'), 'latin1').catch(() => ''),
  ].join('\n')

describe('git of a project with a credential', { timeout: 120_000 }, () => {
  it('[P196] clones whole, shallow and partially what is private, and pushes', async () => {
    const whole = await clone()
    expect(whole).toMatchObject({ ok: true, said: '' })
    for (const how of [['--depth=1'], ['--filter=blob:none']])
      expect(await clone(...how)).toMatchObject({ ok: true })
    const branch = sessionBranch(session)
    git(whole.directory, 'checkout', '--quiet', '-b', branch)
    writeFiles(whole.directory, { 'new.txt': 'new\n' })
    git(whole.directory, 'add', '-A')
    await through(whole.directory, 'commit', '--quiet', '-m', 'New')
    expect(await through(whole.directory, 'fetch', 'origin')).toMatchObject({ ok: true })
    expect(await through(whole.directory, 'push', '--quiet', 'origin', 'HEAD')).toMatchObject({ ok: true })
    const commit = git(whole.directory, 'rev-parse', 'HEAD').trim()
    expect(git(join(root, 'private.git'), 'rev-parse', branch).trim()).toBe(commit)
    expect(await readFile(join(whole.directory, '.git/config'), 'utf8')).not.toContain('CANARY')
  })

  it('[P198] tells of a push when it is there, and of one that is refused', async () => {
    const { directory } = await clone()
    const branch = sessionBranch(session)
    git(directory, 'checkout', '--quiet', '-b', branch)
    writeFiles(directory, { 'told.txt': 'told\n' })
    git(directory, 'add', '-A')
    await through(directory, 'commit', '--quiet', '-m', 'Told')
    const before = git(
      join(root, 'private.git'),
      'for-each-ref',
      '--format=%(objectname)',
      `refs/heads/${branch}`,
    ).trim()
    expect(await through(directory, 'push', '--quiet', '--force', 'origin', 'HEAD')).toMatchObject({
      ok: true,
    })
    const commit = git(directory, 'rev-parse', 'HEAD').trim()
    const [pushed] = await events('git.pushed')
    expect(pushed).toMatchObject({
      actor: { kind: 'backend' },
      data: { name: 'private', url: `${server.url}/private.git`, branch, commit },
    })
    expect(pushed?.data.previous ?? '').toBe(before)
    const summary = await backend.summary(session)
    expect(summary.repositories[0]?.pushed).toMatchObject({ branch, commit })

    expect(await through(directory, 'push', '--quiet', 'origin', 'HEAD:main')).toMatchObject({ ok: false })
    const [refused] = await events('git.refused')
    expect(refused?.data).toMatchObject({
      ref: 'refs/heads/main',
      message: expect.stringContaining('only its branch'),
    })
    expect(audited()).toEqual(expect.arrayContaining(['done', 'refused']))
  })

  it('[P198] believes no git server that says so of a branch which is elsewhere', async () => {
    const { directory } = await clone()
    const branch = sessionBranch(session)
    const hook = join(root, 'private.git/hooks/post-receive')
    await writeFile(hook, `#!/bin/sh\ngit update-ref refs/heads/${branch} refs/heads/main\n`, { mode: 0o755 })
    try {
      git(directory, 'checkout', '--quiet', '-b', branch)
      writeFiles(directory, { 'lost.txt': 'lost\n' })
      git(directory, 'add', '-A')
      await through(directory, 'commit', '--quiet', '-m', 'Lost')
      const known = (await events('git.pushed')).length
      await through(directory, 'push', '--quiet', '--force', 'origin', 'HEAD')
      expect(await events('git.pushed')).toHaveLength(known)
      expect((await events('git.refused'))[0]?.data.message).toContain(
        'reported success, but the branch is at',
      )
    } finally {
      await rm(hook)
    }
  })

  it('[P196] uses a secret that was rotated at the next request, and says which one is refused', async () => {
    expect(await clone('--depth=1')).toMatchObject({ ok: true })
    valid = rotated
    const refused = await clone('--depth=1')
    expect(refused.ok).toBe(false)
    expect(refused.said).toContain(
      `berth: the project’s credential for ${host()} was refused: the secret git-token is wrong`,
    )
    await setSecret(rotated)
    expect(await clone('--depth=1')).toMatchObject({ ok: true })
  })

  it('[P196] takes it to no other host, path or project', async () => {
    const seen = server.requests.length
    const moved = await through(root, 'ls-remote', `${server.url}/moved`)
    expect(moved.said).toContain('has moved to another host, which is not followed')
    expect(server.requests.length).toBe(seen + 1)
    await set({
      gitCredentials: [{ kind: 'token', host: host(), path: 'other/', as: 'basic', secret: 'git-token' }],
    })
    expect((await clone()).said).toContain('needs credentials, and the project has none for it')
    expect(server.requests.at(-1)?.headers.authorization).toBeUndefined()
  })

  it('[P196] lists branches the same way', async () => {
    const url = encodeURIComponent(`${server.url}/private`)
    const list = () => backend.call(`/api/projects/default/branches?url=${url}`)
    expect((await list()).body).toMatchObject({ default: 'main' })
    valid = rotated
    expect((await list()).body).toMatchObject({
      code: 'repository_unreachable',
      detail: expect.stringContaining(`the project’s credential for ${host()} was refused`),
    })
  })

  it('[P199] pushes no more than the project lets it', async () => {
    await set({ pushPolicy: { maxMiB: 1, role: 'editor' } })
    const { directory } = await clone()
    git(directory, 'checkout', '--quiet', '-b', sessionBranch(session))
    writeFiles(directory, {
      'large.bin': randomBytes(2 * 1024 ** 2).toString('latin1'),
    })
    git(directory, 'add', '-A')
    await through(directory, 'commit', '--quiet', '-m', 'Large')
    const known = (await events('git.pushed')).length
    expect((await through(directory, 'push', '--force', 'origin', 'HEAD')).ok).toBe(false)
    expect(await events('git.pushed')).toHaveLength(known)
  })

  it('[P199] pushes for admins alone where the project says so, by what they are now', async () => {
    await set({ pushPolicy: { maxMiB: 100, role: 'admin' } })
    const { directory } = await clone()
    git(directory, 'checkout', '--quiet', '-b', sessionBranch(session))
    writeFiles(directory, { 'admin.txt': 'admin\n' })
    git(directory, 'add', '-A')
    await through(directory, 'commit', '--quiet', '-m', 'Admin')
    // Without a turn it is the session’s owner: here whoever has the owner’s token.
    expect(await through(directory, 'push', '--quiet', '--force', 'origin', 'HEAD')).toMatchObject({
      ok: true,
    })
    const { key, token: editor } = await editorKey()
    await backend.call(`/api/projects/default/sessions/${session}/prompts`, {
      body: { content: 'Push.' },
      token: editor,
    })
    writeFiles(directory, { 'admin.txt': 'more\n' })
    git(directory, 'add', '-A')
    await through(directory, 'commit', '--quiet', '-m', 'More')
    const refused = await through(directory, 'push', 'origin', 'HEAD')
    expect(refused).toMatchObject({ ok: false, said: expect.stringContaining('only admins push') })
    expect((await events('git.refused'))[0]?.data.onBehalfOf).toMatchObject({ kind: 'key', id: key })
    await set({ pushPolicy: { maxMiB: 100, role: 'editor' } })
    expect(await through(directory, 'push', '--quiet', 'origin', 'HEAD')).toMatchObject({ ok: true })
    expect((await events('git.pushed'))[0]?.data.onBehalfOf).toMatchObject({ kind: 'key', id: key })
  })

  it('[P196] leaves the value nowhere', async () => {
    const all = await everything()
    for (const value of [secret, rotated, basic(secret).slice(6), basic(rotated).slice(6)])
      expect(all).not.toContain(value)
  })
})
