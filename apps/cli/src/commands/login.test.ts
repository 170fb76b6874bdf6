import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestBrowser, type Issuer, startIssuer } from '@berth/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, tokenOf } from '../connection.ts'
import { loginToken } from '../login/current-token.ts'
import { changeLogin, loginsFile, readLogin } from '../login/stored-logins.ts'
import { runCli } from '../run-cli.ts'
import { type TestContext, testContext } from '../test-context.ts'

let issuer: Issuer
let server: Server
let url: string
let env: NodeJS.ProcessEnv
/** Bearer tokens that the backend saw. */
const seen: string[] = []

const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))

beforeAll(async () => {
  issuer = await startIssuer({ users: { ada: { email: 'ada@example.com', email_verified: true } } })
  server = createServer((request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
    if (token !== '') seen.push(token)
    response.setHeader('content-type', 'application/json')
    if (request.url === '/api/sign-in') {
      const scopes = ['openid', 'email', 'offline_access']
      return response.end(JSON.stringify({ oidc: { issuer: issuer.url, cliClientId: 'berth-cli', scopes } }))
    }
    const id = token.startsWith('brt_key_') ? 'key_1' : 'ada@example.com'
    response.end(
      JSON.stringify({ principal: { kind: 'user', id }, platformAdmin: false, mayCreateProjects: false }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await issuer.close()
})
beforeEach(async () => {
  env = { BERTH_URL: url, XDG_CONFIG_HOME: await mkdtemp(join(tmpdir(), 'berth-config-')) }
  seen.length = 0
})
afterEach(() => rm(env.XDG_CONFIG_HOME ?? '', { recursive: true }))

const context = (changes: Partial<TestContext> = {}) =>
  testContext(url, { env, client: connect(env), ...changes })

/** Signs in with a browser that does what the page says. */
const signIn = async (args: string[] = []) => {
  const browser = createTestBrowser()
  const one = context({ openPage: (page) => void browser.open(page) })
  const code = await runCli(['login', ...args], one)
  return { code, one }
}

describe('[P143] berth login', () => {
  test('signs in with a browser, and keeps the tokens for this user alone', async () => {
    const { code, one } = await signIn([url])
    expect([code, one.stdout()]).toEqual([0, `You are ada@example.com at ${url}.\n`])
    expect(claimsOf(seen[0] ?? '')).toMatchObject({ aud: 'berth-cli', email: 'ada@example.com' })
    expect((await stat(loginsFile(env))).mode & 0o777).toBe(0o600)
    const who = context()
    expect(await runCli(['whoami'], who)).toBe(0)
    expect(who.stdout()).toBe(`user ada@example.com at ${url}\n`)
    expect(seen.at(-1)).toBe(await tokenOf(env))
    expect(await tokenOf({ ...env, BERTH_TOKEN: 'mine' })).toBe('mine')
    expect(await tokenOf({ ...env, BERTH_URL: 'https://elsewhere.example' })).toBeUndefined()
  })

  test('signs in with a browser of another machine, by a code', async () => {
    const one = context()
    const done = runCli(['login', '--device'], one)
    const browser = createTestBrowser()
    while (!one.stderr().includes('or open ')) await new Promise((resolve) => setImmediate(resolve))
    const page = await browser.open(/or open (\S+)/.exec(one.stderr())?.[1] ?? '')
    const confirmed = await browser.submit(page)
    await browser.submit(confirmed)
    expect([await done, one.stdout()]).toEqual([0, `You are ada@example.com at ${url}.\n`])
  })

  test('keeps a key from standard input', async () => {
    const one = context({ readInput: async () => 'brt_key_abcdefghijklmnop\n' })
    expect(await runCli(['login', '--token-stdin'], one)).toBe(0)
    expect(one.stdout()).toBe(`You are key_1 at ${url}.\n`)
    expect(await tokenOf(env)).toBe('brt_key_abcdefghijklmnop')
  })

  test('says how commands get there, when they would go elsewhere', async () => {
    const one = context({ readInput: async () => 'brt_key_abcdefghijklmnop\n' })
    expect(await runCli(['login', `${url}/`, '--token-stdin'], one)).toBe(0)
    expect(one.stderr()).toBe('')
    env.BERTH_URL = 'https://elsewhere.example'
    const other = context({ readInput: async () => 'brt_key_abcdefghijklmnop\n' })
    expect(await runCli(['login', url, '--token-stdin'], other)).toBe(0)
    expect(other.stderr()).toContain(`export BERTH_URL=${url}\n`)
  })

  test('sends no token where it could be read on the way', async () => {
    const one = context({ readInput: async () => 'brt_key_abcdefghijklmnop\n' })
    expect(await runCli(['login', 'http://berth.example', '--token-stdin'], one)).toBe(2)
    expect(one.stderr()).toContain('is not https')
  })

  test('renews a token that is about to end, once for two commands at once', async () => {
    await signIn()
    const refreshOf = async () => ((await readLogin(env, url)) as { refresh?: string }).refresh
    const before = await refreshOf()
    await changeLogin(env, url, async (login) => login && { ...login, expiresAt: Date.now() + 1000 })
    const grants = () => issuer.requests.filter((line) => line === 'POST /token').length
    const asked = grants()
    const [one, two] = await Promise.all([loginToken(env, url), loginToken(env, url)])
    expect([one, grants()]).toEqual([two, asked + 1])
    expect(await refreshOf()).not.toBe(before)
  })

  test('says clearly when the sign-in has ended', async () => {
    await signIn()
    await changeLogin(env, url, async (login) =>
      login?.kind === 'oidc' ? { ...login, refresh: 'spent', expiresAt: 0 } : login,
    )
    const one = context()
    expect(await runCli(['whoami'], one)).toBe(6)
    expect(one.stderr()).toContain(`Your sign-in at ${url} has ended (invalid_grant`)
    expect(one.stderr()).toContain(`Sign in again: berth login ${url}`)
  })

  test('logs out, here and at the issuer', async () => {
    await signIn()
    const one = context()
    expect(await runCli(['logout'], one)).toBe(0)
    expect(one.stdout()).toContain('Signed out')
    expect(JSON.parse(await readFile(loginsFile(env), 'utf8'))).toEqual({})
    const again = context()
    await runCli(['logout'], again)
    expect(again.stdout()).toContain('You are not signed in')
  })
})

test('the owner’s token goes to this machine only, unless its directory is named', async () => {
  const elsewhere = { BERTH_URL: 'https://berth.example', XDG_CONFIG_HOME: env.XDG_CONFIG_HOME }
  expect(await tokenOf({ ...elsewhere, XDG_DATA_HOME: env.XDG_CONFIG_HOME })).toBeUndefined()
})
