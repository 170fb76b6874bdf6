import { type Actor, hasGitCredential, platformSettings } from '@berth/contract'
import { type GitSurroundings, runRemote, type TrustedGit, type TrustedResult } from '@berth/git'
import type { GitHosts } from '../git-proxy/git-hosts.ts'
import { targetOf } from '../git-proxy/git-target.ts'
import { createRemoteGuard } from '../git-proxy/guard-remote.ts'
import type { Store } from '../store/port.ts'
import type { GitCredentials } from './git-credentials.ts'

export interface AccessUse {
  project: string
  session?: string
  actor: Actor
  url: string
  access: 'read' | 'write'
}

/** How the backend's own git signs in. */
export interface GitAccess {
  /** In place of the operator's surroundings. */
  surroundings: GitSurroundings
  /** What git printed, in words of the project where its credential was refused. */
  explain<T extends Pick<TrustedResult, 'ok' | 'stderr'>>(result: T): T
}

export interface GitAccessOptions {
  store: Pick<Store, 'projectSettings'>
  credentials: GitCredentials
  hosts: GitHosts
}

const authFailed = /could not read (Username|Password)|Authentication failed|returned error: 40[13]/i

/**
 * The surroundings of the backend's own git for a repository whose host the project has a credential for: the credential in
 * git's environment alone, for this host alone, with nothing of the operator's own, and no redirect. Undefined: the project
 * has none, and the operator's surroundings count. Rejects when it has one that can't be used.
 */
export const gitAccess =
  ({ store, credentials, hosts }: GitAccessOptions) =>
  async (own: GitSurroundings, { url, ...use }: AccessUse): Promise<GitAccess | undefined> => {
    const project = await store.projectSettings(use.project)
    const list = project?.settings.gitCredentials ?? platformSettings.gitCredentials
    const target = targetOf(url)
    if (target === undefined || !hasGitCredential(url, { gitCredentials: list })) return undefined
    const guard = createRemoteGuard(hosts)
    const signIn = await credentials.signIn({ ...use, target, credentials: list })
    const place = `${target.scheme}://${target.host}:${target.port}/`
    const auth: [string, string][] =
      signIn === undefined ? [] : [[`http.${place}.extraHeader`, `Authorization: ${signIn.authorization}`]]
    return {
      surroundings: {
        path: own.path,
        home: undefined,
        inherited: { ...own.inherited, GIT_CONFIG_GLOBAL: '/dev/null', XDG_CONFIG_HOME: '/dev/null' },
        guard: async (asked) => {
          const judged = await guard(asked)
          if ('problem' in judged) return judged
          return {
            config: [
              ...judged.config,
              ['credential.helper', ''],
              ['http.followRedirects', 'false'],
              ...(asked === url ? auth : []),
            ],
          }
        },
      },
      explain: (result) => {
        if (result.ok || signIn === undefined || !authFailed.test(result.stderr)) return result
        return { ...result, stderr: `remote: berth: ${signIn.refused().message}\n` }
      },
    }
  }

/** Talks to a remote with the project's credential for its host. Undefined: it has none there. Rejects as `gitAccess`. */
export type GitRemote = (
  use: AccessUse,
) => Promise<((url: string, options: TrustedGit) => Promise<TrustedResult>) | undefined>

export const gitRemote =
  (accessOf: ReturnType<typeof gitAccess>, own: GitSurroundings): GitRemote =>
  async (use) => {
    const access = await accessOf(own, use)
    if (access === undefined) return undefined
    return async (url, options) => access.explain(await runRemote(access.surroundings, url, options))
  }
