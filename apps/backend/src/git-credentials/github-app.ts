import { createHash, createPrivateKey, createSign, type KeyObject } from 'node:crypto'
import { BerthError, type GitCredential } from '@berth/contract'
import { type Outbound, privateAddressOf } from '../outbound/outbound.ts'
import { parseJson } from '../parse-json.ts'

export type GitHubApp = Extract<GitCredential, { kind: 'github-app' }>

export interface InstallationAsk {
  app: GitHubApp
  /** `owner/name`. */
  repository: string
  access: 'read' | 'write'
  /** The App's private key, PEM. */
  privateKey: string
}

interface Minted {
  token: string
  expiresAt: number
}

/** A token is asked for anew this long before it expires. */
const marginMs = 5 * 60_000
const mostTokens = 1000

/**
 * Tokens of installations of GitHub Apps: each for one repository and for reading or writing its contents alone, in memory until
 * shortly before it expires. To mint one takes the App's private key, so an installation's number alone opens nothing.
 */
export class GitHubTokens {
  readonly #outbound: Pick<Outbound, 'ask'>
  readonly #now: () => number
  /** By key, so that a new key never gets what the old one was given. */
  readonly #tokens = new Map<string, Promise<Minted>>()

  constructor({ outbound, now }: { outbound: Pick<Outbound, 'ask'>; now: () => number }) {
    this.#outbound = outbound
    this.#now = now
  }

  /** Rejects with `git_refused` in words for the agent and its user. */
  async token(ask: InstallationAsk): Promise<string> {
    const key = keyOf(ask)
    const known = this.#tokens.get(key)
    if (known !== undefined) {
      // Who asked for it was told why it failed; here it is asked for anew.
      const minted = await known.catch(() => undefined)
      if (minted !== undefined && minted.expiresAt - marginMs > this.#now()) return minted.token
      // Somebody else was faster.
      if (this.#tokens.get(key) !== known) return this.token(ask)
    }
    const minted = this.#mint(ask)
    this.#tokens.delete(key)
    this.#tokens.set(key, minted)
    const [oldest] = this.#tokens.keys()
    if (this.#tokens.size > mostTokens && oldest !== undefined) this.#tokens.delete(oldest)
    try {
      return (await minted).token
    } catch (error) {
      if (this.#tokens.get(key) === minted) this.#tokens.delete(key)
      throw error
    }
  }

  /** The git server refused it: it is asked for anew next time. */
  forget(ask: InstallationAsk): void {
    this.#tokens.delete(keyOf(ask))
  }

  async #mint({ app, repository, access, privateKey }: InstallationAsk): Promise<Minted> {
    const [, name = ''] = repository.split('/')
    const url = new URL(`${apiOf(app)}/app/installations/${app.installationId}/access_tokens`)
    const body = { repositories: [name], permissions: { contents: access, metadata: 'read' } }
    const answer = await this.#outbound
      .ask(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${appJwt(app, privateKey, this.#now())}`,
          accept: 'application/vnd.github+json',
          'content-type': 'application/json',
          'user-agent': 'berth',
          'x-github-api-version': '2022-11-28',
        },
        body: JSON.stringify(body),
      })
      .catch((error) => {
        const why =
          privateAddressOf(error) === undefined
            ? 'it did not answer'
            : `it has no public address; the operator can add ${url.host} to BERTH_PRIVATE_HOSTS`
        throw refused(app, `${url.host} can’t be asked for a token: ${why}`)
      })
    if (answer.status !== 201) throw refused(app, reasonOf(answer.status, { app, repository, access }))
    return tokenIn(answer.body, { app, repository })
  }
}

/** An answer that names another repository as well is not taken. */
const tokenIn = (body: Buffer, { app, repository }: Pick<InstallationAsk, 'app' | 'repository'>): Minted => {
  const { token, expires_at, repositories } = parsed(body)
  const names = Array.isArray(repositories) ? repositories.map((item) => item?.full_name) : []
  const isNarrow = names.every((name) => String(name).toLowerCase() === repository.toLowerCase())
  const expiresAt = Date.parse(String(expires_at))
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token) || Number.isNaN(expiresAt) || !isNarrow)
    throw refused(app, `GitHub’s answer is no token for ${repository} alone`)
  return { token, expiresAt }
}

const parsed = (body: Buffer): Record<string, unknown> => {
  const value = parseJson(body.toString('utf8'))
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

const keyOf = ({ app, repository, access, privateKey }: InstallationAsk): string =>
  JSON.stringify([
    ...[app.appId, app.installationId, apiOf(app), repository, access],
    createHash('sha256').update(privateKey).digest('hex'),
  ])

export const apiOf = ({ host, apiUrl }: GitHubApp): string =>
  (apiUrl ?? (host === 'github.com' ? 'https://api.github.com' : `https://${host}/api/v3`)).replace(/\/$/, '')

const reasonOf = (
  status: number,
  { app, repository, access }: Omit<InstallationAsk, 'privateKey'>,
): string => {
  if (status === 401) return `GitHub takes no token of App ${app.appId} that is signed with this key`
  if (status === 404) return `App ${app.appId} has no installation ${app.installationId}`
  if (status === 403 || status === 422)
    return `installation ${app.installationId} has no right to ${access === 'read' ? 'read' : 'write to'} ${repository}: add the repository to it, and the permission “Contents”`
  return `GitHub answered with status ${status}`
}

const refused = ({ secret, host }: GitHubApp, why: string): BerthError =>
  new BerthError(
    'git_refused',
    `The project’s GitHub App for ${host} (secret ${secret}) can’t be used: ${why}.`,
  )

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What an App says of itself: signed with RS256, for nine minutes; GitHub takes ten. */
export const appJwt = (app: GitHubApp, pem: string, now: number): string => {
  const seconds = Math.floor(now / 1000)
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: seconds - 60, exp: seconds + 480, iss: String(app.appId) })}`
  return `${text}.${createSign('RSA-SHA256').update(text).sign(keyFrom(app, pem)).toString('base64url')}`
}

const keyFrom = (app: GitHubApp, pem: string): KeyObject => {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyType === 'rsa') return key
  } catch {
    // Nothing of what OpenSSL says about a key is for others.
  }
  throw refused(app, 'the secret is not the private key of an App (PEM)')
}
