import type { Actor, GitCredential, TriedGitCredential } from '@berth/contract'
import type { Standing } from '../auth/standing.ts'
import type { BackendParts } from '../backend.ts'
import { branchLister } from '../git/list-branches.ts'
import { parseGitHosts } from '../git-proxy/git-hosts.ts'
import { GitProxy } from '../git-proxy/git-proxy.ts'
import type { Deps } from '../http/deps.ts'
import type { Outbound } from '../outbound/outbound.ts'
import type { SessionService } from '../session/service.ts'
import { gitAccess, gitRemote } from './git-access.ts'
import { GitCredentials, type SecretValues } from './git-credentials.ts'
import { inspectCredential } from './inspect-credential.ts'

export type InspectGit = (asked: {
  project: string
  actor: Actor
  credential: GitCredential
}) => Promise<TriedGitCredential>

interface GitPartsOptions {
  service: SessionService
  outbound: Outbound
  secrets: SecretValues
  standing: Standing
  now: () => number
}

/** All that talks to git servers, with one way to sign in. */
export const gitParts = (
  parts: BackendParts,
  { service, outbound, secrets, standing, now }: GitPartsOptions,
): Pick<Deps, 'git' | 'gitRemote' | 'inspectGit' | 'listBranches'> => {
  const { store } = parts
  const hosts = parseGitHosts(parts.git?.hosts ?? [])
  const credentials = new GitCredentials({ secrets, outbound, hosts, now })
  const access = gitAccess({ store, credentials, hosts })
  const usual = { path: process.env.PATH ?? '', home: undefined, inherited: {} }
  const { surroundings = usual, repositoryRoots: roots } = parts
  return {
    git: new GitProxy({
      ...{ service, store, outbound, credentials, hosts, standing },
      limits: parts.git?.limits,
    }),
    gitRemote: gitRemote(access, parts.checkpoints.git),
    inspectGit: ({ project, actor, credential }) =>
      inspectCredential({ outbound, now }, credential, () => {
        const use = `test of git ${credential.host}`
        return secrets.value({ project, actor, name: credential.secret, use })
      }),
    listBranches: branchLister({
      surroundings,
      access: (of) => access(surroundings, { ...of, access: 'read' }),
      roots,
    }),
  }
}
