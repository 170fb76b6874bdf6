import { type Actor, BerthError, type CheckpointTree, sessionBranch } from '@berth/contract'
import { type CheckpointGit, mustRun, quickMs } from './checkpoint-git.ts'
import { treeToCommit } from './work-tree.ts'
import { writeCommit } from './write-commit.ts'

export interface WorkOptions {
  session: string
  /** Author and committer of what the agent has not committed. */
  owner: Actor
  /** Of that commit. */
  message: string
  /** When the files were saved, so that the same state gives the same commit. */
  at: string
  uncommitted: 'include' | 'leave'
}

/** What there is to push of a repository. */
export interface Work {
  commit: string
  /** The end of the session branch; undefined: the agent has committed nothing. */
  tip: string | undefined
  /** Work that the agent has not committed is a commit on top. */
  committed: boolean
}

export interface WorkPlace {
  tree: CheckpointTree
  options: WorkOptions
}

/** The commit that holds the work of a tree, made in the scratch repository where it takes one. */
export const workOf = async (
  git: CheckpointGit,
  scratch: string,
  { tree, options }: WorkPlace,
): Promise<Work> => {
  const tip = tipOf(tree, options.session)
  if (tip !== undefined)
    await mustRun(git, { mirror: scratch, args: ['cat-file', '-e', `${tip}^{commit}`], timeoutMs: quickMs })
  if (options.uncommitted === 'leave') {
    if (tip !== undefined) return { commit: tip, tip, committed: false }
    throw nothing('Nothing was committed in this repository. Include the uncommitted work')
  }
  const files = await treeToCommit(git, scratch, { files: tree.shadow, tip })
  if (files === (tip === undefined ? emptyTree(tree.shadow) : await treeOfCommit(git, scratch, tip))) {
    if (tip !== undefined) return { commit: tip, tip, committed: false }
    throw nothing('There is no file and no commit in this repository')
  }
  const parents = tip === undefined ? [] : [tip]
  return {
    commit: await writeCommit(git, scratch, { ...options, tree: files, parents }),
    tip,
    committed: true,
  }
}

/** The same on top of what was pushed before, which holds work that is in no commit of the agent's. */
export const workOnTop = async (
  git: CheckpointGit,
  scratch: string,
  { tree, options, pushed }: WorkPlace & { pushed: string },
): Promise<Work> => {
  const tip = tipOf(tree, options.session)
  const files =
    options.uncommitted === 'leave' && tip !== undefined
      ? await treeOfCommit(git, scratch, tip)
      : await treeToCommit(git, scratch, { files: tree.shadow, tip })
  const isNew = tip !== undefined && !(await comesAfter(git, scratch, { before: tip, after: pushed }))
  if (!isNew && files === (await treeOfCommit(git, scratch, pushed)))
    return { commit: pushed, tip, committed: true }
  const parents = isNew ? [tip, pushed] : [pushed]
  return {
    commit: await writeCommit(git, scratch, { ...options, tree: files, parents }),
    tip,
    committed: true,
  }
}

export const comesAfter = async (
  git: CheckpointGit,
  mirror: string,
  { before, after }: { before: string; after: string },
): Promise<boolean> => {
  const args = ['merge-base', '--is-ancestor', before, after]
  return (await git.run({ mirror, args, timeoutMs: quickMs })).ok
}

const treeOfCommit = async (git: CheckpointGit, mirror: string, commit: string): Promise<string> =>
  (await mustRun(git, { mirror, args: ['rev-parse', `${commit}^{tree}`], timeoutMs: quickMs })).trim()

const nothing = (what: string) =>
  new BerthError('changes_not_found', `${what}; there is nothing else to take.`)

/** The end of the session branch. A fork that has not worked yet has the branch of the session before it. */
const tipOf = ({ refs = {}, head }: CheckpointTree, session: string): string | undefined => {
  const own = refs[`refs/heads/${sessionBranch(session)}`]
  if (own !== undefined || head === undefined) return own
  return /^[0-9a-f]{40,64}$/.test(head) ? head : refs[head]
}

const emptyTree = (like: string): string =>
  like.length === 64
    ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
    : '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
