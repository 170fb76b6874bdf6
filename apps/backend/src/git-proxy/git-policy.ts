import { includesRole, type ProjectRole } from '@berth/contract'
import type { GitHosts } from './git-hosts.ts'
import { type GitTarget, placeOf, targetOf } from './git-target.ts'

export type GitService = 'git-upload-pack' | 'git-receive-pack'

/** What a session has to do with repositories. */
export interface GitRights {
  repositories: readonly { url: string; submodules?: boolean | undefined }[]
  /** Where its workflow comes from. */
  workflow: string | undefined
  hosts: GitHosts
}

export type GitVerdict = { allowed: true; anyAddress: boolean } | { allowed: false; reason: string }

/**
 * Whether a session may use a repository: its own may be read and, on its branch, written; that of its workflow, those on
 * hosts that the operator opens, and those beside a repository with submodules may be read. Plain http and private addresses
 * are for hosts that the operator names. Pure.
 */
export const judgeAccess = (target: GitTarget, service: GitService, rights: GitRights): GitVerdict => {
  const { hosts } = rights
  const anyAddress = hosts.names(target)
  const refuse = (reason: string): GitVerdict => ({ allowed: false, reason })
  if (service === 'git-receive-pack' && !isOwn(target, rights))
    return refuse(
      `${target.url} is none of this session’s repositories: only those can be pushed to, on the session’s branch.`,
    )
  if (!isReadable(target, rights))
    return refuse(
      `${target.url} is none of this session’s repositories, and ${target.host} is not a host that sessions may read. Add the repository to the session, or have the operator add the host to BERTH_GIT_HOSTS.`,
    )
  if (target.scheme === 'http' && !anyAddress)
    return refuse(
      `${target.url} would be asked without encryption. Use https, or have the operator add ${placeOf(target)} to BERTH_GIT_HOSTS.`,
    )
  return { allowed: true, anyAddress }
}

/** Why somebody with this role in a session may not push where the project asks for another, or undefined. Pure. */
export const pushProblem = (needed: ProjectRole, role: ProjectRole | undefined): string | undefined => {
  if (role !== undefined && includesRole(role, needed)) return undefined
  if (role !== undefined && includesRole(role, 'editor'))
    return `in this project only admins push, and who sent the prompt is none`
  return 'who sent the prompt may not work in this session any more'
}

const isOwn = ({ key }: GitTarget, { repositories }: GitRights): boolean =>
  repositories.some(({ url }) => targetOf(url)?.key === key)

const isReadable = (target: GitTarget, rights: GitRights): boolean =>
  isOwn(target, rights) ||
  (rights.workflow !== undefined && targetOf(rights.workflow)?.key === target.key) ||
  rights.hosts.opens(target) ||
  // Which submodules there are stands in the repository, that is, anywhere on its host.
  rights.repositories.some(({ url, submodules }) => submodules === true && isBeside(target, targetOf(url)))

const isBeside = (target: GitTarget, other: GitTarget | undefined): boolean =>
  target.scheme === other?.scheme && target.host === other.host && target.port === other.port
