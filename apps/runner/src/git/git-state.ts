import { branchProblem, type GitState } from '@berth/contract'
import { runBoxed } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import type { TrackedRepository } from '../workspace/state.ts'

/**
 * Prints what git in the repository says, a fact a line. Writes nothing: the workspace is shown read-only, so not even
 * the index is refreshed. Arguments: work tree, the branch that the session's was taken from.
 */
const stateScript = `
set -eu
work=$1 from=$2
[ -d "$work" ] && [ ! -L "$work" ] || exit 41
cd "$work"
export GIT_DIR="$work/.git" GIT_WORK_TREE="$work" GIT_OPTIONAL_LOCKS=0
git rev-parse --git-dir >/dev/null || exit 42
echo "head $(git symbolic-ref -q HEAD || true)"
echo "commit $(git rev-parse -q --verify 'HEAD^{commit}' || true)"
other="refs/remotes/origin/$from"
if [ -n "$from" ] && git rev-parse -q --verify "$other" >/dev/null && git rev-parse -q --verify HEAD >/dev/null; then
  git rev-list --left-right --count "HEAD...$other" | sed 's/^/apart /'
elif git rev-parse -q --verify HEAD >/dev/null; then
  echo "apart $(git rev-list --count HEAD) 0"
fi
echo "changed $(git status --porcelain -z --no-renames --untracked-files=all --ignore-submodules=dirty | tr -cd '\\0' | wc -c)"
head=$(git rev-parse -q --verify 'HEAD^{commit}' || true)
echo "unpushed $(git rev-list --count $head --branches --not --remotes)"
if git grep -q --untracked -F filter=lfs -- .gitattributes '*/.gitattributes' 2>/dev/null; then
  echo "lfs $(git grep -lzI -F 'version https://git-lfs.github.com/spec/v' -- ':(attr:filter=lfs)' 2>/dev/null | tr -cd '\\0' | wc -c)"
fi
git for-each-ref --count=2000 --format='ref %(objectname) %(refname)' refs/heads refs/remotes
`

const outputLimit = 1024 * 1024

/** Branches of one repository that are told. */
const mostBranches = 200

export interface GitStateOptions {
  repository: Pick<TrackedRepository, 'name' | 'branch'>
  layout: Layout
  sandbox: Sandbox
  timeoutMs: number
}

/** Branches and state of a repository as its own git tells; undefined when it can't. Never rejects. */
export const readGitState = async (options: GitStateOptions): Promise<GitState | undefined> => {
  const { repository, layout, sandbox, timeoutMs } = options
  const { inside, outside } = layout
  const { exit, stdout, overflow } = await runBoxed(sandbox, {
    script: stateScript,
    args: [`${inside.workspace}/${repository.name}`, repository.branch],
    mounts: [{ path: outside.workspace, mode: 'ro', target: inside.workspace }],
    cwd: inside.workspace,
    temporary: inside.temporary,
    timeoutMs,
    outputLimit,
  })
  return exit.code === 0 && !overflow ? parseGitState(repository.name, stdout.toString('utf8')) : undefined
}

/** Reads what the script printed. The agent's git may have been made to print anything: what doesn't fit is left out. */
export const parseGitState = (name: string, text: string): GitState => {
  const lines = text.split('\n')
  const after = (word: string) => lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1)
  const [ahead = 0, behind = 0] = (after('apart') ?? '').split(/\s+/).map(count)
  const head = /^refs\/heads\/(\S+)$/.exec(after('head') ?? '')?.[1]
  const commit = after('commit')
  const lfs = after('lfs')
  const branches = lines.flatMap(branchIn)
  const left = branches.length - mostBranches
  return {
    name,
    ...(head !== undefined && branchProblem(head) === undefined ? { head } : {}),
    ...(commit !== undefined && object.test(commit) ? { commit } : {}),
    ahead,
    behind,
    changed: count(after('changed') ?? ''),
    unpushed: count(after('unpushed') ?? ''),
    branches: branches.slice(0, mostBranches),
    ...(left > 0 ? { moreBranches: left } : {}),
    ...(lfs === undefined ? {} : { lfsPointers: count(lfs) }),
  }
}

const object = /^([0-9a-f]{40}|[0-9a-f]{64})$/

const count = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : 0)

const branchIn = (line: string): GitState['branches'] => {
  const match = /^ref ([0-9a-f]+) refs\/(heads|remotes\/origin)\/(\S+)$/.exec(line)
  const [, commit = '', place, name = ''] = match ?? []
  if (place === undefined || !object.test(commit) || name === 'HEAD' || branchProblem(name) !== undefined)
    return []
  return [{ name, commit, remote: place !== 'heads' }]
}
