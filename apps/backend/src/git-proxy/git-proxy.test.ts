import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { sessionBranch } from '@berth/contract'
import type { GitHttpServer } from '@berth/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commitFiles, git, writeFiles } from '../checkpoints/fixtures/work.ts'
import { eventually, type TestBackend, withBackend } from '../test-backend.ts'
import { type GitSession, startGitSession } from './test-git.ts'

let world: GitSession
let root: string
let server: GitHttpServer
let backend: TestBackend
let session: string
let token: string
let through: GitSession['through']
let branch: string
const gate = Promise.withResolvers<void>()

/** What some paths answer in place of git. */
const odd: Record<string, (response: ServerResponse, request: IncomingMessage) => unknown> = {
  '/moved': (response) => response.writeHead(301, { location: `http://other.example/moved${refs}` }).end(),
  '/nogit': (response, { url = '' }) =>
    response.writeHead(301, { location: url.replace('/nogit', '/origin.git') }).end(),
  '/private': (response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
  '/page': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hello'),
  '/broken': (response) => response.writeHead(500).end('stack trace'),
  '/stalled': (response) =>
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).write('001e'),
}
const refs = '/info/refs?service=git-upload-pack'

beforeAll(async () => {
  world = await startGitSession({
    name: 'origin',
    commits: [1, 2, 3].map((n) => ({ 'a.txt': `${n}\n`, [`f${n}.txt`]: `file ${n}\n` })),
    repositories: ['origin'],
    limits: { atOnce: 2 },
    route: async (request, response, path) => {
      if (path.startsWith('/held/')) await gate.promise
      const answer = Object.entries(odd).find(([prefix]) => path.startsWith(`${prefix}/`))?.[1]
      if (answer === undefined) return path.replace('/held/', '/')
      answer(response, request)
      return undefined
    },
  })
  ;({ root, server, backend, session, token, through } = world)
  branch = sessionBranch(session)
})

afterAll(() => world.close())

const clone = async (...args: string[]) => {
  const { directory, ...ended } = await world.clone(...args)
  expect(ended).toEqual({ ok: true, said: '' })
  return directory
}
const originRefs = () => git(join(root, 'origin.git'), 'for-each-ref', '--format=%(refname)')

describe('git through the proxy', () => {
  it('clones whole, shallow and partially, by the protocol’s second version', async () => {
    const whole = await clone()
    expect(git(whole, 'log', '--format=%s').split('\n')).toHaveLength(4)
    const shallow = await clone('--depth=1')
    expect(git(shallow, 'log', '--format=%s')).toBe('Change 3')
    const partial = await clone('--filter=blob:none', '--no-checkout')
    expect(git(partial, 'rev-list', '--objects', '--all', '--missing=print')).toContain('?')
    expect(await through(partial, 'checkout', '--quiet', 'main')).toMatchObject({ ok: true })
    const deepened = await through(shallow, 'fetch', '--quiet', '--unshallow')
    expect(deepened).toMatchObject({ ok: true })
    expect(git(shallow, 'log', '--format=%s').split('\n')).toHaveLength(4)
  })

  it('sends git servers nothing of the session’s', async () => {
    server.requests.length = 0
    await through(
      root,
      '-c',
      'http.extraHeader=Cookie: a=b',
      '-c',
      'http.userAgent=spy',
      'ls-remote',
      `${server.url}/origin`,
    )
    expect(server.requests).toHaveLength(2)
    for (const { headers } of server.requests) {
      const { connection, 'transfer-encoding': _, ...rest } = headers
      expect(connection).toBe('keep-alive')
      expect(rest).toMatchObject({ 'git-protocol': 'version=2', 'user-agent': 'git/2.0' })
      expect(JSON.stringify(headers)).not.toMatch(/authorization|cookie|spy/i)
    }
  })

  it('pushes the session’s branch, however large, and forces it', async () => {
    const work = await clone()
    git(work, 'checkout', '--quiet', '-b', branch)
    writeFiles(work, { 'large.bin': randomBytes(3 * 1024 * 1024) })
    git(work, 'add', '--all')
    git(work, 'commit', '--quiet', '-m', 'Large')
    expect(await through(work, 'push', '--quiet', 'origin', branch)).toEqual({ ok: true, said: '' })
    expect(git(join(root, 'origin.git'), 'rev-parse', branch)).toBe(git(work, 'rev-parse', 'HEAD'))
    git(work, 'commit', '--quiet', '--amend', '-m', 'Again')
    expect((await through(work, 'push', 'origin', branch)).said).toContain('non-fast-forward')
    expect(await through(work, 'push', '--quiet', '--force', 'origin', branch)).toMatchObject({ ok: true })
    expect(git(join(root, 'origin.git'), 'log', '-1', '--format=%s', branch)).toBe('Again')
  })

  it.each([
    ['another branch', ['HEAD:refs/heads/main'], /main \(a session pushes only its branch berth\//],
    ['a tag', ['HEAD:refs/tags/v1'], /\[remote rejected\] HEAD -> v1 \(a session pushes no tags/],
    ['two branches', ['HEAD:refs/heads/x', `HEAD:refs/heads/BRANCH`], /x \(a session pushes only/],
    [
      'another branch with force',
      ['--force', 'HEAD:refs/heads/main'],
      /main \(a session pushes only its branch/,
    ],
    ['another session’s', ['+HEAD:refs/heads/berth/ses_2'], /ses_2 \(a session pushes only its branch/],
    ['notes', ['HEAD:refs/notes/commits'], /commits \(a session pushes only its branch/],
    ['its branch with a tag', ['--force', 'HEAD:refs/heads/BRANCH', 'HEAD:refs/tags/v1'], /pushes no tags/],
    ['a deletion with force', ['--force', '--delete', 'main'], /main \(a session pushes only its branch/],
    ['a deletion', [':refs/heads/main'], /main \(a session pushes only its branch/],
    [
      'with an option',
      ['--force', '-o', 'ci.skip', 'HEAD:refs/heads/BRANCH'],
      /\(push options are not passed on\)/,
    ],
    ['all', ['--mirror'], /remote rejected/],
  ])('[P105] refuses to push %s, and git says why', async (_, args, reason) => {
    const work = await clone()
    const before = originRefs()
    commitFiles(work, { 'new.txt': 'new\n' }, 'New')
    const list = args.map((arg) => arg.replace('BRANCH', branch))
    const { ok, said } = await through(work, 'push', 'origin', ...list)
    expect(ok).toBe(false)
    expect(said).toMatch(reason)
    expect(originRefs()).toBe(before)
  })

  it('refuses a deletion of the session’s own branch too, and one of a large push', async () => {
    const work = await clone()
    git(join(root, 'origin.git'), 'update-ref', `refs/heads/${branch}`, 'main')
    const { said } = await through(work, 'push', 'origin', `:${branch}`)
    expect(said).toContain('(a session deletes no branch)')
    writeFiles(work, { 'large.bin': randomBytes(3 * 1024 * 1024) })
    git(work, 'add', '--all')
    git(work, 'commit', '--quiet', '-m', 'Large')
    expect((await through(work, 'push', 'origin', 'HEAD:main')).said).toContain('remote rejected')
  })
})

describe('what is refused, git prints with the reason:', () => {
  const listed = (url: string, ...more: string[]) => through(root, 'ls-remote', ...more, url)

  it.each([
    [
      'a repository of nobody’s',
      'https://example.com/lib',
      /remote: berth: .* none of this session’s repositories/,
    ],
    ['an address that is no repository', 'https://example.com/lib%3Fx', /remote: berth: .* no address/],
    [
      'a server that sends elsewhere',
      'SERVER/moved',
      /berth: .* has moved to another host.*http:\/\/other\.example\/moved/,
    ],
    [
      'one that wants credentials',
      'SERVER/private',
      /berth: .* needs credentials, and the project has none for it/,
    ],
    ['one that has no such repository', 'SERVER/none', /berth: .* has no repository .*\n.*not found/],
    ['one that is no git server', 'SERVER/page', /berth: .* not behind a git server/],
    ['one that fails', 'SERVER/broken', /berth: .* answered with status 500/],
  ])('%s', async (_, url, reason) => {
    const { ok, said } = await listed(url.replace('SERVER', server.url))
    expect(ok).toBe(false)
    expect(said).toMatch(reason)
    expect(said).not.toMatch(/stack trace|Username/)
  })

  it('follows a server to another path of its own, where the session may go', async () => {
    const { ok, said } = await listed(`${server.url}/nogit`)
    expect([ok, said]).toEqual([true, expect.stringContaining('refs/heads/main')])
  })

  it('lets no more requests of a session be under way than it may', async () => {
    const held = [1, 2].map(() => listed(`${server.url}/held/origin`))
    await eventually(
      'both wait',
      () => server.requests.filter(({ url }) => url.startsWith('/held/')).length === 2,
    )
    expect((await listed(`${server.url}/origin`)).said).toContain('berth: 2 requests of git are under way')
    gate.resolve()
    expect(await Promise.all(held)).toMatchObject([{ ok: true }, { ok: true }])
    expect(await listed(`${server.url}/origin`)).toMatchObject({ ok: true })
  })

  it('one that stops in the middle of its answer', () =>
    withBackend(
      async (other) => {
        const { id } = await other.session({ repositories: [{ url: `${server.url}/stalled` }] })
        const spec = await other.spec(id)
        const path = `/runner/git/http/${new URL(server.url).host}/stalled${refs}`
        await expect(other.callRunner(spec.token, path)).rejects.toThrow('terminated')
      },
      { git: { hosts: [new URL(server.url).host], limits: { idleMs: 200 } } },
    ))

  it('one whose answer is too large', () =>
    withBackend(
      async (other) => {
        const { id } = await other.session({ repositories: [{ url: `${server.url}/origin` }] })
        const spec = await other.spec(id)
        const path = `/runner/git/http/${new URL(server.url).host}/origin.git${refs}`
        // Cut in the middle, or refused when nothing was sent on yet.
        const answer = await other.callRunner(spec.token, path).catch((error: Error) => error.message)
        expect(typeof answer === 'string' ? answer : answer.status).toSatisfy((seen) =>
          ['terminated', 'fetch failed', 413].includes(seen),
        )
      },
      { git: { hosts: [new URL(server.url).host], limits: { answerBytes: 100 } } },
    ))

  it('[P107] private addresses, by whatever name', () =>
    withBackend(async (other) => {
      const port = new URL(server.url).port
      const hosts = [
        'localhost',
        '127.0.0.1',
        '2130706433',
        '[::1]',
        '[::ffff:127.0.0.1]',
        '169.254.169.254',
        '10.0.0.1',
      ]
      const repositories = hosts.map((host, i) => ({ url: `https://${host}:${port}/origin`, name: `r${i}` }))
      const { id } = await other.session({ repositories })
      const spec = await other.spec(id)
      for (const host of hosts) {
        const path = `/runner/git/https/${host}:${port}/origin${refs}`
        const { status, body } = await other.callRunner(spec.token, path)
        expect([host, status, body]).toMatchObject([host, 403, { code: 'git_refused' }])
        expect(body).toMatchObject({ detail: expect.stringContaining('no public address') })
      }
      expect((await other.callRunner('wrong', `/runner/git/https/localhost/x${refs}`)).status).toBe(401)
    }))
})

it('a git server is left alone when whoever asked is gone', async () => {
  const left = Promise.withResolvers<void>()
  odd['/watched'] = (response) => {
    response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' }).write('001e')
    response.once('close', () => left.resolve())
  }
  const asking = new AbortController()
  const host = new URL(server.url).host
  const answer = await fetch(`${backend.runnerUrl}/runner/git/http/${host}/watched${refs}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: asking.signal,
  })
  expect(answer.status).toBe(200)
  asking.abort()
  await left.promise
})
