import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readConfig } from '../config.ts'
import { ownerOnly } from './auth-settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-auth-'))
afterAll(() => rmSync(directory, { recursive: true }))
const fileWith = (name: string, text: string): string => {
  const file = join(directory, name)
  writeFileSync(file, text)
  return file
}

const issuer = { BERTH_OIDC_ISSUER: 'https://id.example/realms/team', BERTH_OIDC_CLIENT_ID: 'berth' }
const settings = (env: Record<string, string>) => readConfig(env).auth

describe('who may ask, as the environment says it', () => {
  it('is the owner alone, without a word', () => {
    expect(settings({})).toEqual(ownerOnly)
  })

  it('has a default for all of an issuer but its address and client', () => {
    expect(settings(issuer).oidc).toEqual({
      issuer: 'https://id.example/realms/team',
      clientId: 'berth',
      clientSecret: undefined,
      scopes: ['openid', 'profile', 'email', 'offline_access'],
      claims: { user: 'email', name: 'name', groups: 'groups' },
      audiences: [],
      cliClientId: undefined,
    })
  })

  it('takes each of its settings', () => {
    const { oidc } = settings({
      ...issuer,
      BERTH_OIDC_CLIENT_SECRET_FILE: fileWith('secret', '  s3cret\n'),
      BERTH_OIDC_SCOPES: 'profile groups,email profile',
      BERTH_OIDC_USER_CLAIM: 'oid',
      BERTH_OIDC_NAME_CLAIM: 'preferred_username',
      BERTH_OIDC_GROUPS_CLAIM: 'roles',
      BERTH_OIDC_AUDIENCES: 'api://berth, berth-api',
      BERTH_OIDC_CLI_CLIENT_ID: 'berth-cli',
    })
    expect(oidc).toMatchObject({
      clientSecret: 's3cret',
      scopes: ['openid', 'profile', 'groups', 'email'],
      claims: { user: 'oid', name: 'preferred_username', groups: 'roles' },
      audiences: ['api://berth', 'berth-api'],
      cliClientId: 'berth-cli',
    })
  })

  it('names admins and who creates projects as they sign in', () => {
    const admins = 'user:Ada@Example.com, group:/Platform ,service:kubernetes:ci:bot,user:kubernetes:Jane@x'
    expect(settings({ BERTH_ADMINS: admins }).rights.admins).toEqual([
      { kind: 'user', id: 'ada@example.com' },
      { kind: 'group', id: '/Platform' },
      { kind: 'service', id: 'kubernetes:ci:bot' },
      { kind: 'user', id: 'kubernetes:Jane@x' },
    ])
    for (const [given, expected] of [
      ['everyone', 'everyone'],
      ['admins', 'admins'],
      ['group:makers', [{ kind: 'group', id: 'makers' }]],
    ] as const)
      expect(settings({ BERTH_PROJECT_CREATORS: given }).rights.projectCreators).toEqual(expected)
  })

  it('knows proxies by addresses and ranges, and where people reach it', () => {
    const auth = settings({
      BERTH_PUBLIC_URL: 'https://berth.example/',
      BERTH_TRUSTED_PROXIES: '10.0.0.0/8, 127.0.0.1,fd00::/8',
      BERTH_TOKEN_REVIEW: 'berth',
    })
    expect(auth).toMatchObject({
      publicUrl: 'https://berth.example',
      trustedProxies: ['10.0.0.0/8', '127.0.0.1', 'fd00::/8'],
      tokenReview: { audience: 'berth' },
    })
    expect(readConfig({ BERTH_PUBLIC_URL: 'https://Berth.Example' }).allowedHosts).toEqual(['berth.example'])
  })

  it.each<[string, Record<string, string>, RegExp]>([
    ['an issuer without a client', { BERTH_OIDC_ISSUER: issuer.BERTH_OIDC_ISSUER }, /CLIENT_ID: needed/],
    ['a client without an issuer', { BERTH_OIDC_CLIENT_ID: 'berth' }, /OIDC_ISSUER: needed/],
    ['a claim without an issuer', { BERTH_OIDC_USER_CLAIM: 'sub' }, /OIDC_ISSUER: needed with .*USER_CLAIM/],
    ['an issuer in the clear', { ...issuer, BERTH_OIDC_ISSUER: 'http://id.example' }, /must be https/],
    ['an issuer with a password', { ...issuer, BERTH_OIDC_ISSUER: 'https://a:b@id.example' }, /plain URL/],
    ['no file with the secret', { ...issuer, BERTH_OIDC_CLIENT_SECRET_FILE: '/no/such' }, /ENOENT/],
    ['a public address in the clear', { BERTH_PUBLIC_URL: 'http://berth.example' }, /must be https/],
    ['a public address with a query', { BERTH_PUBLIC_URL: 'https://berth.example?a=b' }, /plain URL/],
    ['an admin of no kind', { BERTH_ADMINS: 'ada@example.com' }, /"ada@example.com" is not user:/],
    ['a key as an admin', { BERTH_ADMINS: 'key:key_1' }, /is not user:/],
    ['creators that are a word', { BERTH_PROJECT_CREATORS: 'nobody' }, /BERTH_PROJECT_CREATORS/],
    ['a proxy by its name', { BERTH_TRUSTED_PROXIES: 'proxy.example' }, /addresses or ranges/],
    ['a range that is none', { BERTH_TRUSTED_PROXIES: '10.0.0.0/33' }, /addresses or ranges/],
    ['any proxy', { BERTH_TRUSTED_PROXIES: '*' }, /addresses or ranges/],
    ['an audience with a space', { BERTH_TOKEN_REVIEW: 'a b' }, /must be an audience/],
  ])('refuses %s', (_, env, reason) => {
    expect(() => settings(env)).toThrow(reason)
  })

  it('refuses a file that holds no secret, and says everything at once', () => {
    const BERTH_OIDC_CLIENT_SECRET_FILE = fileWith('lines', 'one\ntwo CANARY')
    const wrong = { ...issuer, BERTH_OIDC_CLIENT_SECRET_FILE, BERTH_ADMINS: 'x', BERTH_TRUSTED_PROXIES: 'y' }
    expect(() => settings(wrong)).toThrow(/TRUSTED_PROXIES[\s\S]*ADMINS[\s\S]*in one line/)
    expect(() => settings(wrong)).not.toThrow(/CANARY/)
  })
})
