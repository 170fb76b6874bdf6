import { createVerify, generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { SmallAnswer, SmallRequest } from '../outbound/outbound.ts'
import { type GitHubApp, GitHubTokens } from './github-app.ts'

const pair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
const ours = pair()
const others = pair()
const app: GitHubApp = {
  kind: 'github-app',
  host: 'github.com',
  appId: 7,
  installationId: 42,
  secret: 'app-key',
}

let now = Date.UTC(2030, 0, 1)
const requests: { url: string; body: unknown }[] = []
let made = 0

const json = (status: number, body: unknown): SmallAnswer => ({
  status,
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
})

/** GitHub as far as tokens of installations go: App 7 has installation 42 with `team/app` and `team/lib`, and may write. */
const github = async (url: URL, request: SmallRequest = {}): Promise<SmallAnswer> => {
  const jwt = (request.headers?.authorization ?? '').replace('Bearer ', '')
  const [head = '', claims = '', signature = ''] = jwt.split('.')
  const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`)
  const { iat, exp, iss } = JSON.parse(Buffer.from(claims, 'base64url').toString())
  const seconds = now / 1000
  const isFresh = iat <= seconds && exp > seconds && exp - iat <= 600
  if (!verify.verify(ours.publicKey, signature, 'base64url') || !isFresh || iss !== '7') return json(401, {})
  const body = JSON.parse(String(request.body))
  requests.push({ url: String(url), body })
  if (String(url) !== 'https://api.github.com/app/installations/42/access_tokens') return json(404, {})
  const { repositories, permissions } = body
  const isNarrow =
    repositories?.length === 1 &&
    ['app', 'lib'].includes(repositories[0]) &&
    Object.keys(permissions).sort().join() === 'contents,metadata' &&
    permissions.metadata === 'read'
  if (!isNarrow) return json(422, {})
  return json(201, {
    token: `ghs_${++made}`,
    expires_at: new Date(now + 3_600_000).toISOString(),
    repositories: [{ full_name: `Team/${repositories[0]}` }],
  })
}

let tokens: GitHubTokens
beforeEach(() => {
  requests.length = 0
  tokens = new GitHubTokens({ outbound: { ask: github }, now: () => now })
})

const ask = (more: Partial<Parameters<GitHubTokens['token']>[0]> = {}) =>
  tokens.token({ app, repository: 'team/app', access: 'read', privateKey: ours.privateKey, ...more })

describe('a token of a GitHub App', () => {
  it('[P197][S22] is for one repository and for what is done with it alone', async () => {
    await ask()
    await ask({ access: 'write' })
    expect(requests.map(({ body }) => body)).toEqual([
      { repositories: ['app'], permissions: { contents: 'read', metadata: 'read' } },
      { repositories: ['app'], permissions: { contents: 'write', metadata: 'read' } },
    ])
  })

  it('is kept until shortly before it expires, for just that', async () => {
    const first = await ask()
    expect(await ask()).toBe(first)
    expect(await ask({ repository: 'team/lib' })).not.toBe(first)
    expect(await ask({ access: 'write' })).not.toBe(first)
    now += 54 * 60_000
    expect(await ask()).toBe(first)
    now += 2 * 60_000
    const second = await ask()
    expect(second).not.toBe(first)
    tokens.forget({ app, repository: 'team/app', access: 'read', privateKey: ours.privateKey })
    expect(await ask()).not.toBe(second)
  })

  it('is asked for once by many at the same time', async () => {
    const all = await Promise.all([ask(), ask(), ask()])
    expect(new Set(all).size).toBe(1)
    expect(requests).toHaveLength(1)
  })

  it('[P197][S22] takes the App’s own key: an installation’s number opens nothing', async () => {
    await ask()
    await expect(ask({ privateKey: others.privateKey })).rejects.toThrow(/takes no token of App 7/)
    await expect(ask({ privateKey: 'CANARY' })).rejects.toThrow(/not the private key of an App/)
    await expect(ask({ privateKey: 'CANARY' })).rejects.not.toThrow(/CANARY/)
    const stolen = { ...app, installationId: 43 }
    await expect(ask({ app: stolen })).rejects.toThrow(/App 7 has no installation 43/)
    const impostor = { ...app, appId: 8 }
    await expect(ask({ app: impostor })).rejects.toThrow(/takes no token of App 8/)
  })

  it('[P197] is refused for a repository that the installation lacks, or has under another owner', async () => {
    await expect(ask({ repository: 'team/other' })).rejects.toThrow(/no right to read team\/other/)
    await expect(ask({ repository: 'evil/app' })).rejects.toThrow(/no token for evil\/app alone/)
  })

  it('is none when GitHub is away, or answers with something else', async () => {
    const answers: (() => Promise<SmallAnswer>)[] = [
      () => Promise.reject(new Error('CANARY')),
      async () => json(201, { token: 'x y', expires_at: 'never' }),
      async () => ({ status: 201, headers: {}, body: Buffer.from('<html>') }),
      async () => json(302, {}),
    ]
    for (const answer of answers) {
      tokens = new GitHubTokens({ outbound: { ask: answer }, now: () => now })
      const failure = await ask().catch((error: Error) => error.message)
      expect(failure).toMatch(/can’t be used/)
      expect(failure).not.toContain('CANARY')
    }
  })
})
