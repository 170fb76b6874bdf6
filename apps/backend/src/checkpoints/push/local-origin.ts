import { BerthError, branchProblem } from '@berth/contract'
import {
  collect,
  findRepository,
  gitProblem,
  lastLine,
  PlaceRefused,
  runBoxed,
  startBoxed,
  strictness,
} from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { type CheckpointGit, longMs, mustRun, quickMs } from '../checkpoint-git.ts'
import type { Origin, OriginState, Sending } from './origin.ts'
import { notFastForward, pushFailed, pushProblem } from './push-problem.ts'

const open = `
set -eu
branch=$1
export GIT_CEILING_DIRECTORIES=$(dirname "$PWD")
[ -e .git ] || export GIT_DIR="$PWD"
GIT_DIR=$(git rev-parse --absolute-git-dir)
export GIT_DIR
`

/** Prints what there is. The origin's config is somebody else's, so even this runs in a sandbox. */
const lookScript = `${open}
[ -z "$(git config --get extensions.refStorage || true)" ] || echo odd
echo "head $(git symbolic-ref -q HEAD || true)"
! git symbolic-ref -q "refs/heads/$branch" >/dev/null || echo alias
git worktree list --porcelain | sed -n 's/^branch /checked /p;s/^bare$/bare/p'
commit=$(git rev-parse -q --verify "refs/heads/$branch" || true)
[ -z "$commit" ] || echo "commit $commit"
git for-each-ref --format='have %(objectname)' refs/heads refs/tags | head -n 5000
`

/** Takes a pack from its input and moves the branch: from what it was, or not at all. No hook runs. */
const sendScript = `${open}
commit=$2 previous=$3 force=$4
[ "$force" = no ] || [ "$(git config --bool receive.denyNonFastForwards || true)" != true ] || exit 43
git index-pack --stdin --fix-thin --strict >/dev/null
git rev-list --objects --quiet "$commit" --not --all || exit 44
git update-ref --no-deref -m 'push: from a Berth session' "refs/heads/$branch" "$commit" "$previous"
`

/** Writes a pack of a branch to its output. Objects that need not be in it come in, each with ^ before it. */
const fetchScript = `${open}
{ cat; git rev-parse "refs/heads/$branch"; } | git rev-list --objects --ignore-missing --stdin |
  git pack-objects --quiet --stdout --delta-base-offset
`

const sendProblems: Record<number, string> = {
  43: 'the repository denies pushes that give up commits (receive.denyNonFastForwards). Push to another branch',
  44: 'it lacks history that this session was not given (a clone with a depth). Create a session without a depth',
}

export interface LocalOriginOptions {
  git: CheckpointGit
  sandbox: Sandbox
  url: string
  /** Directories that it must lie under. */
  roots: readonly string[]
}

interface LocalState extends OriginState {
  /** Objects that it has. */
  have: string[]
}

/**
 * A repository on this machine. Its configuration and hooks may be anybody's: git works on it in a sandbox that shows
 * nothing but it, with hooks turned off, and gets a pack and the name of a commit from outside.
 */
export const localOrigin = (options: LocalOriginOptions): Origin => ({
  look: (branch) => look(options, branch),
  fetch: (fetching) => fetch(options, fetching),
  async send(sending) {
    const { have } = await look(options, sending.branch)
    await send(options, sending, have)
  },
})

const boxOf = async ({ url, roots, sandbox }: LocalOriginOptions) => {
  const place = await findRepository(url, roots).catch((error) => {
    if (!(error instanceof PlaceRefused)) throw error
    throw new BerthError('repository_not_allowed', `Nothing can be pushed to ${url}: ${error.message}.`)
  })
  const target = sandbox.kind === 'none' ? place.path : '/origin'
  return {
    mounts: [{ path: place.path, mode: 'rw' as const, target }],
    cwd: target,
    temporary: sandbox.kind === 'none' ? '/nonexistent' : '/tmp',
  }
}

const look = async (options: LocalOriginOptions, branch: string): Promise<LocalState> => {
  const { sandbox, url } = options
  const box = { ...(await boxOf(options)), timeoutMs: quickMs, outputLimit: 8 * 1024 * 1024 }
  const { exit, stdout, stderr } = await runBoxed(sandbox, { ...box, script: lookScript, args: [branch] })
  if (exit.reason === 'spawn-failed') throw pushFailed(url, exit.message)
  if (exit.code !== 0) throw pushFailed(url, gitProblem({ stderr, timedOut: exit.reason === 'time-limit' }))
  const lines = stdout.toString('utf8').split('\n')
  const all = (name: string) =>
    lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []))
  if (lines.includes('odd'))
    throw pushFailed(url, 'it keeps its branches in a format that is not known here.')
  if (lines.includes('alias'))
    throw new BerthError(
      'push_rejected',
      `${branch} at ${url} is another name of a branch. Push to that one.`,
    )
  const head = /^refs\/heads\/(.+)$/.exec(all('head')[0] ?? '')?.[1]
  const hash = /^([0-9a-f]{40}|[0-9a-f]{64})$/
  return {
    commit: all('commit').find((text) => hash.test(text)),
    head: head !== undefined && branchProblem(head) === undefined ? head : undefined,
    checkedOut: all('checked').includes(`refs/heads/${branch}`),
    have: all('have').filter((text) => hash.test(text)),
  }
}

const send = async (
  options: LocalOriginOptions,
  sending: Sending,
  have: readonly string[],
): Promise<void> => {
  const { git, sandbox, url } = options
  const { repository, branch, commit, previous, force } = sending
  const known = await presentIn(git, repository, have)
  const packer = git.start({
    mirror: repository,
    args: ['pack-objects', '--quiet', '--revs', '--thin', '--delta-base-offset', '--stdout'],
    input: `${[commit, ...known.map((object) => `^${object}`)].join('\n')}\n`,
    timeoutMs: longMs,
  })
  const zero = '0'.repeat(commit.length)
  const args = [branch, commit, previous ?? zero, force ? 'yes' : 'no']
  const box = { ...(await boxOf(options)), script: sendScript, args, timeoutMs: longMs }
  const receiver = startBoxed(sandbox, box)
  receiver.stdin.on('error', () => packer.kill())
  packer.stdout.pipe(receiver.stdin)
  receiver.stdout.resume()
  const [packed, stderr, exit] = await Promise.all([
    packer.ended,
    collect(receiver.stderr, 16 * 1024, () => undefined),
    receiver.exited,
  ])
  if (exit.code === 0 && packed.ok) return
  const problem = sendProblems[exit.code ?? 0]
  if (problem !== undefined)
    throw new BerthError('push_rejected', `The push to ${url} is refused: ${problem}.`)
  const said = stderr.toString('utf8')
  if (/cannot lock ref/i.test(said)) throw notFastForward(branch)
  if (!packed.ok && lastLine(said) === '') throw pushFailed(url, gitProblem(packed))
  throw pushProblem(branch, url, { stderr: said || exit.message, timedOut: exit.reason === 'time-limit' })
}

const fetch = async (
  options: LocalOriginOptions,
  { repository, branch }: { repository: string; branch: string },
): Promise<void> => {
  const { git, sandbox, url } = options
  const { commit, have } = await look(options, branch)
  if (commit === undefined) return
  const known = await presentIn(git, repository, have)
  const box = { ...(await boxOf(options)), script: fetchScript, args: [branch], timeoutMs: longMs }
  const sender = startBoxed(sandbox, box)
  sender.stdin.on('error', () => undefined)
  sender.stdin.end(known.map((object) => `^${object}\n`).join(''))
  const [indexed] = await Promise.all([
    git.run({
      mirror: repository,
      args: ['index-pack', '--stdin', '--fix-thin', `--strict=${strictness}`],
      input: sender.stdout,
      timeoutMs: longMs,
    }),
    collect(sender.stderr, 16 * 1024, () => undefined),
    sender.exited,
  ])
  const args = ['update-ref', 'refs/berth/seen', commit]
  const set = indexed.ok ? await git.run({ mirror: repository, args, timeoutMs: quickMs }) : indexed
  if (!set.ok) throw pushFailed(url, gitProblem(set))
}

/** Which of these objects a repository has. */
const presentIn = async (
  git: CheckpointGit,
  mirror: string,
  objects: readonly string[],
): Promise<string[]> => {
  const unique = [...new Set(objects)]
  if (unique.length === 0) return []
  const args = ['cat-file', '--batch-check=%(objectname)']
  const input = unique.map((object) => `${object}\n`).join('')
  const told = await mustRun(git, { mirror, args, input, timeoutMs: quickMs })
  return told.split('\n').filter((line) => unique.includes(line))
}
