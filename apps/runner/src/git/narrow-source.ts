import { type GitSurroundings, readRemoteRefs } from '@berth/git'
import { CloneError, explainGit } from './explain.ts'
import type { MirrorGit, MirrorSource } from './mirror.ts'

export interface NarrowSourceOptions {
  name: string
  url: string
  branch: string | undefined
  /** Commits of history; missing: all. */
  depth: number | undefined
  /** Leave the contents of files at the origin, except those of the branch as it is. */
  partial: boolean
  surroundings: GitSurroundings
  timeoutMs?: number
}

const quickMs = 60_000
const listLimit = 64 * 1024 * 1024

/**
 * A remote of which not everything is wanted. Its mirror is as narrow as the clone, so that a large repository is cheap
 * here too; it is kept apart from the whole one. With a depth only the branch to start from comes. With `partial` the
 * contents of the files that will be checked out are fetched too, because the sandbox in which the clone is made has no way to the origin.
 */
export const narrowSource = (options: NarrowSourceOptions): MirrorSource => ({
  async update(git, path) {
    const { name, url, branch, depth, surroundings } = options
    const refs = await readRemoteRefs(surroundings, url)
    if (!refs.ok) throw explainGit(name, url, refs)
    const start = branch ?? refs.head
    if (refs.branches.size === 0 && branch === undefined) return undefined
    if (start === undefined || !refs.branches.has(start))
      throw noSuchBranch({ name, url, branch }, [...refs.branches.keys()])
    const all = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']
    await fetch(options, {
      git,
      path,
      specs: depth === undefined ? all : [`+refs/heads/${start}:refs/heads/${start}`],
    })
    if (options.partial) await fetchContents(options, { git, path, branch: start })
    return refs.head
  },
})

/** A branch that isn't there; undefined: the repository's default one. */
export const noSuchBranch = (
  { name, url, branch }: { name: string; url: string; branch: string | undefined },
  branches: readonly string[],
): CloneError => {
  const known = branches.slice(0, 10).join(', ') || 'none'
  const which = branch === undefined ? 'its default branch' : `branch ${branch}`
  return new CloneError(
    `The repository ${name} (${url}) can’t be cloned: ${which} does not exist. Branches: ${known}. Name one of them.`,
  )
}

interface Place {
  git: MirrorGit
  path: string
}

const fetch = async (
  { name, url, depth, partial, timeoutMs = 900_000 }: NarrowSourceOptions,
  { git, path, specs }: Place & { specs: string[] },
): Promise<void> => {
  // What is missing is only excused in a mirror that names whoever promised it.
  const set = { mirror: path, args: ['config', 'remote.origin.url', url], timeoutMs: quickMs }
  const named = await git(set)
  if (!named.ok) throw explainGit(name, url, named)
  const narrow = [
    ...(depth === undefined ? ['--prune'] : [`--depth=${depth}`, '--update-shallow']),
    ...(partial ? ['--filter=blob:none'] : []),
  ]
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', ...narrow, 'origin', ...specs]
  const fetched = await git({ mirror: path, args, timeoutMs })
  if (!fetched.ok) throw explainGit(name, url, fetched)
}

/** Fetches the contents of the files of a branch, as far as they are missing. */
const fetchContents = async (
  { name, url, timeoutMs = 900_000 }: NarrowSourceOptions,
  { git, path, branch }: Place & { branch: string },
): Promise<void> => {
  const list = [
    'rev-list',
    '--objects',
    '--no-object-names',
    '--missing=print',
    '--no-walk',
    `refs/heads/${branch}`,
  ]
  const listed = await git({ mirror: path, args: list, timeoutMs: 300_000, outputLimit: listLimit })
  if (!listed.ok) throw explainGit(name, url, listed)
  const missing = listed.stdout.split('\n').flatMap((line) => /^\?([0-9a-f]{40,64})$/.exec(line)?.[1] ?? [])
  if (missing.length === 0) return
  const args = [
    ...['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head'],
    ...['--recurse-submodules=no', '--filter=blob:none', '--stdin', 'origin'],
  ]
  const fetched = await git({ mirror: path, args, timeoutMs, input: `${missing.join('\n')}\n` })
  if (!fetched.ok) throw explainGit(name, url, fetched)
}
