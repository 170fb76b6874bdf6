import {
  type Actor,
  BerthError,
  type BranchList,
  isBerthError,
  isLocalRepository,
  limits,
} from '@berth/contract'
import { type GitSurroundings, gitProblem, PlaceRefused, type RemoteRefs, readRemoteRefs } from '@berth/git'
import type { GitAccess } from '../git-credentials/git-access.ts'
import { readLocalRefs } from './local-branches.ts'

export interface BranchesOptions {
  surroundings: GitSurroundings
  /** How a project signs in at its hosts. Default: as the operator. */
  access?: (use: BranchesOf) => Promise<GitAccess | undefined>
  /** Directories that local repositories must lie under. */
  roots: readonly string[]
  /** How long a remote may take to answer, in ms. Default: 30,000. */
  timeoutMs?: number
  /** Remotes that are asked at once; more requests are refused. Default: 8. */
  atOnce?: number
}

export interface BranchesOf {
  project: string
  actor: Actor
  url: string
}

/** Lists the branches of a repository. Rejects with `repository_unreachable` when it can't be read. */
export const branchLister = (options: BranchesOptions): ((of: BranchesOf) => Promise<BranchList>) => {
  const { atOnce = 8 } = options
  let asked = 0
  return async (of) => {
    if (asked >= atOnce)
      throw new BerthError(
        'repository_unreachable',
        `${atOnce} repositories are being asked for their branches already. Try again in a moment.`,
      )
    asked += 1
    try {
      return listOf(await refsOf(options, of))
    } finally {
      asked -= 1
    }
  }
}

const refsOf = async (options: BranchesOptions, of: BranchesOf): Promise<RemoteRefs> => {
  const { roots, timeoutMs = 30_000 } = options
  const { url } = of
  if (!isLocalRepository(url)) {
    const access = await options.access?.(of).catch((error) => {
      if (isBerthError(error)) throw unreadable(url, error.message)
      throw error
    })
    const refs = await readRemoteRefs(access?.surroundings ?? options.surroundings, url, timeoutMs)
    if (refs.ok) return refs
    throw unreadable(url, gitProblem(access?.explain(refs) ?? refs))
  }
  const refs = await readLocalRefs(url, roots).catch((error) => {
    if (error instanceof PlaceRefused) throw unreadable(url, `${error.message}.`)
    throw error
  })
  if (refs === undefined)
    throw unreadable(url, 'there is no git repository, or its branches are not in files.')
  return refs
}

const unreadable = (url: string, why: string) =>
  new BerthError('repository_unreachable', `The branches of ${url} can’t be read: ${why}`)

/** The default branch first, the others by name. */
const listOf = ({ head, branches }: RemoteRefs): BranchList => {
  const all = [...branches].map(([name, commit]) => ({ name, commit }))
  const rank = (name: string) => (name === head ? 0 : 1)
  all.sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1))
  return {
    default: head,
    branches: all.slice(0, limits.listedBranches),
    more: all.length > limits.listedBranches,
  }
}
