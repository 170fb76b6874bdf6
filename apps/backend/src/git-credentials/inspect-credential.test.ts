import { generateKeyPairSync } from 'node:crypto'
import { BerthError, type GitCredential } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { SmallAnswer, SmallRequest } from '../outbound/outbound.ts'
import { inspectCredential } from './inspect-credential.ts'

const now = Date.UTC(2030, 0, 1)
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
})

const github: GitCredential = { kind: 'token', as: 'basic', host: 'github.com', secret: 'gh' }
const gitlab: GitCredential = { kind: 'gitlab', host: 'git.example.com:8443', path: 'team/', secret: 'lab' }
const app: GitCredential = {
  ...{ kind: 'github-app', host: 'github.com', appId: 7, installationId: 42, secret: 'key' },
}

type Answer = Partial<Omit<SmallAnswer, 'body'>> & { body?: unknown }

/** What a host answers to one credential; tells what it was asked. */
const inspect = async (credential: GitCredential, answer: Answer | Error, value = 'value-of-the-secret') => {
  const asked: { url: string; request: SmallRequest | undefined }[] = []
  const ask = async (url: URL, request?: SmallRequest): Promise<SmallAnswer> => {
    asked.push({ url: url.href, request })
    if (answer instanceof Error) throw answer
    const { status = 200, headers = {}, body = {} } = answer
    return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }
  }
  const found = await inspectCredential({ outbound: { ask }, now: () => now }, credential, async () => value)
  expect(JSON.stringify(found)).not.toContain(value)
  return { found, asked }
}

describe('[P204] a git credential is described by its host', () => {
  it('a fine-grained token of GitHub that ends', async () => {
    const headers = { 'github-authentication-token-expiration': '2030-03-01 10:00:00 UTC' }
    const { found, asked } = await inspect(github, { headers, body: { login: 'ada', token: 'x' } })
    expect(found).toEqual({
      ...{ host: 'github.com', kind: 'token', secret: 'gh', state: 'ok', account: 'ada' },
      ...{ expiresAt: '2030-03-01T10:00:00.000Z', warnings: [] },
    })
    expect(asked).toMatchObject([
      {
        url: 'https://api.github.com/user',
        request: { headers: { authorization: 'Bearer value-of-the-secret' } },
      },
    ])
  })

  it('a classic token with more rights than Berth needs, and no end', async () => {
    const headers = { 'x-oauth-scopes': 'repo, admin:org, delete_repo' }
    const { found } = await inspect(github, { headers, body: { login: 'ada' } })
    expect(found).toMatchObject({ state: 'ok', scopes: ['repo', 'admin:org', 'delete_repo'] })
    expect(found.warnings).toEqual([
      expect.stringContaining('fine-grained'),
      expect.stringContaining('admin:org, delete_repo'),
      expect.stringContaining('never expires'),
    ])
  })

  it('a token of GitLab that ends soon, asked of its own host alone', async () => {
    const body = { name: 'bot', scopes: ['write_repository', 'api'], active: true, expires_at: '2030-01-05' }
    const { found, asked } = await inspect(gitlab, { body })
    expect(found).toMatchObject({ state: 'ok', account: 'bot', expiresAt: '2030-01-05T00:00:00.000Z' })
    expect(found.warnings).toEqual([expect.stringContaining('api'), expect.stringContaining('in 4 days')])
    expect(asked).toMatchObject([
      {
        url: 'https://git.example.com:8443/api/v4/personal_access_tokens/self',
        request: { headers: { 'private-token': 'value-of-the-secret' } },
      },
    ])
  })

  it('an installation of an App', async () => {
    const body = {
      account: { login: 'acme' },
      permissions: { contents: 'write', metadata: 'read', administration: 'write' },
      repository_selection: 'all',
      suspended_at: null,
    }
    const { found, asked } = await inspect(app, { body }, privateKey)
    expect(found).toMatchObject({
      ...{ state: 'ok', account: 'acme' },
      scopes: ['contents:write', 'metadata:read', 'administration:write'],
      warnings: [expect.stringContaining('administration'), expect.stringContaining('all repositories')],
    })
    expect(asked[0]?.url).toBe('https://api.github.com/app/installations/42')
    const narrow = {
      ...body,
      permissions: { contents: 'read', metadata: 'read' },
      repository_selection: 'selected',
    }
    expect((await inspect(app, { body: narrow }, privateKey)).found.warnings).toEqual([])
  })

  it.each<[string, GitCredential, Answer, RegExp]>([
    ['a wrong token', github, { status: 401 }, /wrong, revoked/],
    ['a wrong token of GitLab', gitlab, { status: 401 }, /wrong, revoked/],
    [
      'a token that GitLab revoked',
      gitlab,
      { body: { name: 'b', scopes: [], active: false, expires_at: null } },
      /revoked/,
    ],
    ['a key of another App', app, { status: 401 }, /signed with this key/],
    ['an installation that is not the App’s', app, { status: 404 }, /has no installation 42/],
    [
      'a suspended installation',
      app,
      {
        body: {
          ...{ account: { login: 'acme' }, permissions: {}, repository_selection: 'all' },
          suspended_at: '2029-01-01T00:00:00Z',
        },
      },
      /suspended/,
    ],
    [
      'an App without the right to contents',
      app,
      { body: { account: { login: 'acme' }, permissions: { issues: 'read' }, repository_selection: 'all' } },
      /Contents/,
    ],
  ])('%s is refused, with why', async (_, credential, answer, why) => {
    const value = credential.kind === 'github-app' ? privateKey : undefined
    expect((await inspect(credential, answer, value)).found).toMatchObject({
      state: 'refused',
      message: expect.stringMatching(why),
      warnings: [],
    })
  })

  it.each<[string, GitCredential, Answer | Error, string | undefined, RegExp]>([
    [
      'a host that nobody can ask',
      { ...github, host: 'git.example.com' },
      {},
      undefined,
      /test a repository/,
    ],
    [
      'a user with a password',
      { kind: 'basic', host: 'github.com', secret: 's' },
      {},
      'a:b-c-d',
      /test a repo/,
    ],
    ['a host that is away', github, new Error('connect ECONNREFUSED'), undefined, /did not answer/],
    ['a host that fails', gitlab, { status: 502 }, undefined, /status 502/],
    ['an answer of something else', github, { body: '<html>' }, undefined, /status 200/],
    ['a value of two lines', github, {}, 'one\nx-evil: two', /test a repository/],
  ])('%s: nothing is known', async (_, credential, answer, value, why) => {
    const { found } = await inspect(credential, answer, value)
    expect(found).toMatchObject({ state: 'unknown', message: expect.stringMatching(why) })
  })

  it('a secret that is gone is refused in its own words, and what is broken here is not', async () => {
    const outbound = { ask: () => Promise.reject(new Error('nobody is asked')) }
    const look = (error: Error) =>
      inspectCredential({ outbound, now: () => now }, github, () => Promise.reject(error))
    expect(await look(new BerthError('git_refused', 'There is no secret gh.'))).toMatchObject({
      state: 'refused',
      message: 'There is no secret gh.',
    })
    await expect(look(new TypeError('a fault'))).rejects.toThrow('a fault')
  })

  it('what a host says is bounded', async () => {
    const body = { name: 'n'.repeat(5000), scopes: Array(5000).fill('s'.repeat(5000)), active: true }
    const { found } = await inspect(gitlab, { body })
    expect(JSON.stringify(found).length).toBeLessThan(25_000)
  })
})
