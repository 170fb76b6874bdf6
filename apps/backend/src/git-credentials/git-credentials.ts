import { type Actor, BerthError, type GitCredential, isBerthError } from '@berth/contract'
import type { GitHosts } from '../git-proxy/git-hosts.ts'
import { type GitTarget, placeOf } from '../git-proxy/git-target.ts'
import type { Outbound } from '../outbound/outbound.ts'
import { credentialHeader } from './credential-header.ts'
import { GitHubTokens, type InstallationAsk } from './github-app.ts'
import { matchCredential } from './match-credential.ts'

/** Where the values are. */
export interface SecretValues {
  value(use: { project: string; name: string; use: string; session?: string; actor: Actor }): Promise<string>
}

export interface GitCredentialsOptions {
  secrets: SecretValues
  outbound: Pick<Outbound, 'ask'>
  hosts: GitHosts
  now: () => number
}

export interface CredentialUse {
  project: string
  session?: string
  actor: Actor
  /** The project's list, as it is now. */
  credentials: readonly GitCredential[]
  target: GitTarget
  access: 'read' | 'write'
}

/** How one request signs in. */
export interface SignIn {
  /** A header's value: for the git server of the target and nobody else. */
  authorization: string
  /** The git server refused it. What to tell the user, and the agent. */
  refused(): BerthError
}

/** Signs git in at git servers with what the project has for them. Nothing of it is kept but tokens that expire. */
export class GitCredentials {
  readonly #options: GitCredentialsOptions
  readonly #github: GitHubTokens

  constructor(options: GitCredentialsOptions) {
    this.#options = options
    this.#github = new GitHubTokens(options)
  }

  /** Undefined: the project has none for this repository. Rejects in words for the agent and its user. */
  async signIn(use: CredentialUse): Promise<SignIn | undefined> {
    const { target, credentials } = use
    const credential = matchCredential(target, credentials)
    if (credential === undefined) return undefined
    if (target.scheme !== 'https' && !this.#options.hosts.names(target))
      throw new BerthError(
        'git_refused',
        `The project’s credential for ${placeOf(target)} is sent by https alone. Use https, or have the operator add ${placeOf(target)} to BERTH_GIT_HOSTS.`,
      )
    const value = await this.#value(use, credential)
    if (credential.kind !== 'github-app')
      return {
        authorization: credentialHeader(credential, value),
        refused: () => wrongCredential(use, credential),
      }
    const ask: InstallationAsk = {
      app: credential,
      repository: repositoryOf(target),
      access: use.access,
      privateKey: value,
    }
    const token = await this.#github.token(ask)
    return {
      authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
      refused: () => {
        this.#github.forget(ask)
        return wrongCredential(use, credential)
      },
    }
  }

  async #value(
    { project, session, actor, target }: CredentialUse,
    { secret }: GitCredential,
  ): Promise<string> {
    const place = placeOf(target)
    const use = { project, session, actor, name: secret, use: `git ${place}` }
    try {
      return await this.#options.secrets.value(use)
    } catch (error) {
      if (!isBerthError(error) || error.code === 'unavailable') throw error
      throw new BerthError(
        'git_refused',
        `the project’s credential for ${place} can’t be used: ${error.message}`,
      )
    }
  }
}

const wrongCredential = ({ target, access }: CredentialUse, { secret, host }: GitCredential): BerthError =>
  new BerthError(
    'git_refused',
    `the project’s credential for ${host} was refused: the secret ${secret} is wrong, has expired, or may not ${access === 'read' ? 'read' : 'write to'} ${target.url}. An admin of the project sets it anew.`,
  )

/** `owner/name`, as GitHub has it. */
const repositoryOf = ({ path, url }: GitTarget): string => {
  const [, owner, name, more] = path.replace(/\.git$/, '').split('/')
  if (owner !== undefined && name !== undefined && more === undefined) return `${owner}/${name}`
  throw new BerthError('git_refused', `${url} is no repository of GitHub’s: expected owner/name.`)
}
