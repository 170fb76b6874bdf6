import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Actor, emailOf, type WantedRepository } from '@berth/contract'
import { runBoxed } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { CloneError, explainGit } from '../git/explain.ts'
import type { Mirror } from '../git/mirror.ts'
import { noSuchBranch } from '../git/narrow-source.ts'
import { trustMirror } from '../git/trust-mirror.ts'
import type { Layout } from '../layout.ts'
import type { TrackedRepository } from './state.ts'
import { makeTree, removeTrees } from './trees.ts'

/**
 * A copy of the mirror without links to it, on the session branch. The checkout runs in the sandbox: what a tree can
 * make git do is not known in advance.
 */
const cloneScript = `
set -eu
${trustMirror}mirror=$1 target=$2 url=$3 branch=$4 session=$5 name=$6 email=$7
shift 7
# The rest asks for a narrow clone. Its objects come one by one: those that are checked out below, from the mirror.
[ "$#" = 0 ] || export GIT_NO_LAZY_FETCH=0
git -c core.hooksPath=/dev/null clone --quiet --no-hardlinks --no-checkout --template= "$@" -- "$mirror" "$target"
cd "$target"
export GIT_DIR="$target/.git" GIT_WORK_TREE="$target"
git config user.name "$name"
git config user.email "$email"
if [ -n "$branch" ]; then
  git update-ref "refs/heads/$session" "refs/remotes/origin/$branch"
  git symbolic-ref HEAD "refs/heads/$session"
  git reset --quiet --hard
  for ref in $(git for-each-ref --format='%(refname)' refs/heads); do
    [ "$ref" = "refs/heads/$session" ] || git update-ref -d "$ref"
  done
  git rev-parse HEAD
  if git grep -q -F filter=lfs -- .gitattributes '*/.gitattributes'; then
    echo "lfs $(git grep -lzI -F 'version https://git-lfs.github.com/spec/v' -- ':(attr:filter=lfs)' | tr -cd '\\0' | wc -c)"
  fi
else
  git symbolic-ref HEAD "refs/heads/$session"
fi
git remote set-url origin "$url"
`

export interface CloneOptions {
  repository: WantedRepository
  /** Directory in the workspace. */
  name: string
  mirror: Mirror
  sessionBranch: string
  owner: Actor
  layout: Layout
  sandbox: Sandbox
  /** Limit in ms. Default: 15 minutes. */
  timeoutMs?: number
}

/** A whole clone that is not in the workspace yet, by its directory's name among the clones. */
export interface HalfClone {
  half: string
  tracked: TrackedRepository
}

/** Clones beside the workspace; there is the whole repository or nothing. Throws a CloneError. */
export const cloneFromMirror = async (options: CloneOptions): Promise<HalfClone> => {
  const { name, repository } = options
  const branch = startBranch(options)
  const half = `${name}.${randomBytes(4).toString('hex')}`
  await makeTree(options, 'clones', half)
  try {
    const { base, lfsPointers } = await cloneInBox(options, { half, branch })
    const remark = remarkOf(repository, lfsPointers)
    return {
      half,
      tracked: { name, url: repository.url, branch: branch ?? '', base, since: repository.since, remark },
    }
  } catch (error) {
    await removeTrees(options, 'clones', [half])
    throw error
  }
}

const startBranch = ({ repository, mirror, name }: CloneOptions): string | undefined => {
  const { url, branch } = repository
  if (mirror.branches.size === 0 && branch === undefined) return undefined
  const wanted = branch ?? mirror.defaultBranch ?? ''
  if (mirror.branches.has(wanted)) return wanted
  throw noSuchBranch({ name, url, branch }, [...mirror.branches.keys()])
}

/** What makes git take less than everything from the mirror. */
const narrowArguments = (
  { depth, partial }: WantedRepository,
  branch: string | undefined,
): readonly string[] => {
  if (branch === undefined || (depth === undefined && partial !== true)) return []
  return [
    '--no-local',
    ...(depth === undefined ? [] : [`--depth=${depth}`, '--single-branch', `--branch=${branch}`]),
    ...(partial === true ? ['--filter=blob:none'] : []),
  ]
}

const remarkOf = (
  { depth, partial, submodules }: WantedRepository,
  lfsPointers: number,
): string | undefined => {
  const remarks = [
    ...(depth === undefined
      ? []
      : [`Only the last ${depth === 1 ? 'commit is' : `${depth} commits are`} there.`]),
    ...(partial === true
      ? [
          'Of older commits the contents of files were left at the origin: git fetches them when it needs them, where it has a way there.',
        ]
      : []),
    ...(submodules === true ? ['Submodules are at their pinned commits, on no branch.'] : []),
    ...(lfsPointers > 0
      ? [
          `${lfsPointers} of its files are Git LFS pointers, which are left as they are: their contents are not there.`,
        ]
      : []),
  ]
  return remarks.length === 0 ? undefined : remarks.join(' ')
}

const cloneInBox = async (
  options: CloneOptions,
  { half, branch }: { half: string; branch: string | undefined },
): Promise<{ base?: string; lfsPointers: number }> => {
  const { layout, sandbox, mirror, repository, owner, name, sessionBranch, timeoutMs = 900_000 } = options
  const { inside, outside } = layout
  const source = inside.source === '' ? mirror.path : inside.source
  const identity = [owner.name ?? owner.id, emailOf(owner)]
  const narrow = narrowArguments(repository, branch)
  const { exit, stdout, stderr } = await runBoxed(sandbox, {
    script: cloneScript,
    args: [
      source,
      `${inside.clones}/${half}`,
      repository.url,
      branch ?? '',
      sessionBranch,
      ...identity,
      ...narrow,
    ],
    mounts: [
      { path: mirror.path, mode: 'ro', target: source },
      { path: join(outside.clones, half), mode: 'rw', target: `${inside.clones}/${half}` },
    ],
    cwd: `${inside.clones}/${half}`,
    temporary: inside.temporary,
    timeoutMs,
    outputLimit: 64 * 1024,
  })
  if (exit.reason === 'spawn-failed')
    throw new CloneError(`The repository ${name} can’t be cloned: ${exit.message}`)
  if (exit.code !== 0)
    throw explainGit(name, repository.url, {
      stderr: stderr || exit.message,
      timedOut: exit.reason === 'time-limit',
    })
  if (branch === undefined) return { lfsPointers: 0 }
  const [base = '', lfs = ''] = stdout.toString('utf8').split('\n')
  const lfsPointers = Number(/^lfs (\d{1,7})$/.exec(lfs)?.[1] ?? 0)
  if (/^[0-9a-f]{40,64}$/.test(base)) return { base, lfsPointers }
  throw new CloneError(`The repository ${name} (${repository.url}) can’t be cloned: git printed no commit.`)
}
