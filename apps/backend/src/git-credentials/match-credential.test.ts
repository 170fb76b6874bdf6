import type { GitCredential } from '@berth/contract'
import { gitCredentials, hasGitCredential } from '@berth/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { targetOf } from '../git-proxy/git-target.ts'
import { credentialHeader } from './credential-header.ts'
import { matchCredential } from './match-credential.ts'

const token = (host: string, path: string | undefined, secret: string): GitCredential => ({
  kind: 'token',
  as: 'basic',
  host,
  path,
  secret,
})
const list = [
  token('git.example', undefined, 'any'),
  token('git.example', 'team/', 'team'),
  token('git.example', 'team/app', 'app'),
  token('git.example:8443', undefined, 'port'),
]
const found = (url: string) => {
  const target = targetOf(url)
  return target === undefined ? undefined : matchCredential(target, list)?.secret
}

describe('the credential of a repository', () => {
  it.each([
    ['https://git.example/lib', 'any'],
    ['https://GIT.example:443/team/lib', 'team'],
    ['https://git.example/team/app', 'app'],
    ['https://git.example/team/app.git', 'app'],
    ['https://me@git.example/team//app.git', 'app'],
    ['https://git.example/team/app/sub', 'app'],
    ['https://git.example/team/apples', 'team'],
    ['https://git.example/teams/app', 'any'],
    ['https://git.example:8443/team/app', 'port'],
    ['https://git.example:444/lib', undefined],
    ['https://x.git.example/lib', undefined],
    ['https://git.example.evil/lib', undefined],
    ['https://git.example@evil.example/lib', undefined],
    ['https://evil.example/git.example/lib', undefined],
    ['https://git.example/../git.example/lib', undefined],
  ])('of %s is %s', (url, secret) => expect(found(url)).toBe(secret))

  it('[P196] is one for exactly its host, however an address is written', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        const target = targetOf(url)
        if (target === undefined) return
        const match = matchCredential(target, [token('git.example', undefined, 's')])
        expect(match === undefined).toBe(target.host !== 'git.example')
      }),
      { numRuns: 50 },
    )
  })

  it('makes git take the proxy for every path of its host', () => {
    const settings = { gitCredentials: [token('git.example', 'team/', 's')] }
    expect(hasGitCredential('https://git.example/other/lib', settings)).toBe(true)
    expect(hasGitCredential('https://me:x@GIT.example:443/team/lib', settings)).toBe(true)
    expect(hasGitCredential('https://git.example:8443/team/lib', settings)).toBe(false)
    expect(hasGitCredential('git@git.example:team/lib', settings)).toBe(false)
  })

  it.each([
    [{ kind: 'token', host: 'Git.example', secret: 's' }, 'lower case'],
    [{ kind: 'token', host: 'https://git.example', secret: 's' }, 'expected a host'],
    [{ kind: 'token', host: 'git.example', path: '/team', secret: 's' }, 'beginning of a path'],
    [{ kind: 'token', host: 'git.example', path: 'team/../x', secret: 's' }, 'must not contain'],
    [{ kind: 'token', host: 'git.example', secret: 'a value, by mistake' }, 'name of a secret'],
    [{ kind: 'github-app', host: 'github.com', installationId: 5, secret: 's' }, 'appId'],
    [{ kind: 'github-app', host: 'github.com', appId: 1, installationId: 5 }, 'secret'],
    [
      { kind: 'github-app', host: 'g.example', appId: 1, installationId: 5, secret: 's', apiUrl: 'http://g' },
      'apiUrl',
    ],
  ])('can’t be set as %j', (credential, why) => {
    expect(JSON.stringify(gitCredentials.safeParse([credential]).error?.issues)).toContain(why)
  })

  it('can’t be two for one place', () => {
    const twice = [token('git.example', 'team', 'a'), token('git.example', 'team/', 'b')]
    expect(gitCredentials.safeParse(twice).success).toBe(false)
    expect(gitCredentials.safeParse(list).success).toBe(true)
  })
})

describe('the header of a credential', () => {
  const at = { host: 'git.example', secret: 's' }
  const decoded = (header: string) => Buffer.from(header.replace('Basic ', ''), 'base64').toString()

  it('has the form that its server knows', () => {
    expect(decoded(credentialHeader({ ...at, kind: 'token', as: 'basic' }, ' tok \n'))).toBe(
      'x-access-token:tok',
    )
    expect(credentialHeader({ ...at, kind: 'token', as: 'bearer' }, 'tok')).toBe('Bearer tok')
    expect(decoded(credentialHeader({ ...at, kind: 'gitlab' }, 'tok'))).toBe('oauth2:tok')
    expect(decoded(credentialHeader({ ...at, kind: 'basic' }, 'ada:pass:word'))).toBe('ada:pass:word')
  })

  it.each([
    ['basic', 'no-colon-CANARY'],
    ['basic', ':CANARY'],
    ['gitlab', 'CANARY\r\nx-other: 1'],
    ['gitlab', ' '],
  ] as const)('is refused for %s of %j, and the value is not told', (kind, value) => {
    const make = () => credentialHeader({ ...at, kind }, value)
    expect(make).toThrow(/The secret s for git\.example is/)
    expect(make).not.toThrow(/CANARY/)
  })
})
