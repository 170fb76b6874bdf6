import { join } from 'node:path'
import { isLocalRepository, limits, type WantedRepository } from '@berth/contract'
import { runBoxed, runTrusted } from '@berth/git'
import { CloneError, explainGit } from '../git/explain.ts'
import { trustMirror } from '../git/trust-mirror.ts'
import { type CloningOptions, mirrorOf, optionsFor } from './mirror-of.ts'
import { readSubmodules, type Submodule, type SubmoduleOwner } from './submodules.ts'

/** A submodule at its pinned commit, in its owner's tree. Everything happens in the sandbox, before any agent is there. */
const submoduleScript = `
set -eu
${trustMirror}mirror=$1 target=$2 url=$3 commit=$4 owner=$5 name=$6
git -c core.hooksPath=/dev/null clone --quiet --no-hardlinks --no-checkout --template= -- "$mirror" "$target"
git --git-dir="$owner/.git" config "submodule.$name.url" "$url"
git --git-dir="$owner/.git" config "submodule.$name.active" true
cd "$target"
export GIT_DIR="$target/.git" GIT_WORK_TREE="$target"
git remote set-url origin "$url"
git update-ref --no-deref HEAD "$commit"
for ref in $(git for-each-ref --format='%(refname)' refs/heads); do git update-ref -d "$ref"; done
git reset --quiet --hard
`

export interface CloneSubmodulesOptions extends CloningOptions {
  repository: WantedRepository
  name: string
  /** The clone's directory among the clones. */
  half: string
  owner: SubmoduleOwner
}

interface Level extends SubmoduleOwner {
  /** Path below the clone; empty: the clone itself. */
  path: string
  depth: number
}

/** Clones the submodules of a clone, and theirs, up to the limits. Throws a CloneError. */
export const cloneSubmodules = async (options: CloneSubmodulesOptions): Promise<void> => {
  const { name, repository, owner } = options
  const refuse = (what: string) =>
    new CloneError(
      `The repository ${name} (${repository.url}) can’t be cloned with its submodules: ${what}. Clone it without them.`,
    )
  let count = 0
  const levels: Level[] = [{ ...owner, path: '', depth: 0 }]
  for (let level = levels.shift(); level !== undefined; level = levels.shift()) {
    const submodules = await readSubmodules(options, level)
    count += submodules.length
    if (count > limits.submodules) throw refuse(`it has more than ${limits.submodules}`)
    if (submodules.length > 0 && level.depth >= limits.submoduleDepth)
      throw refuse(`they lie more than ${limits.submoduleDepth} levels deep in each other`)
    for (const submodule of submodules) levels.push(await cloneOne(options, level, submodule))
  }
}

const cloneOne = async (
  options: CloneSubmodulesOptions,
  level: Level,
  { name, path, url, commit }: Submodule,
): Promise<Level> => {
  const { layout, sandbox, half } = options
  const label = `${options.name}/${level.path === '' ? '' : `${level.path}/`}${path}`
  const mirror = await mirrorOf(options, { url }, label)
  await haveCommit(await optionsFor(options, url), { mirror: mirror.path, url, commit, label })
  const { inside, outside } = layout
  const source = inside.source === '' ? mirror.path : inside.source
  const target = `${inside.clones}/${half}`
  const owner = level.path === '' ? target : `${target}/${level.path}`
  const { exit, stderr } = await runBoxed(sandbox, {
    script: submoduleScript,
    args: [source, `${owner}/${path}`, url, commit, owner, name],
    mounts: [
      { path: mirror.path, mode: 'ro', target: source },
      { path: join(outside.clones, half), mode: 'rw', target },
    ],
    cwd: target,
    temporary: inside.temporary,
    timeoutMs: 900_000,
    outputLimit: 64 * 1024,
  })
  if (exit.code !== 0)
    throw explainGit(label, url, { stderr: stderr || exit.message, timedOut: exit.reason === 'time-limit' })
  return {
    mirror: mirror.path,
    commit,
    url,
    path: level.path === '' ? path : `${level.path}/${path}`,
    depth: level.depth + 1,
  }
}

interface Pin {
  mirror: string
  url: string
  commit: string
  label: string
}

/** A pinned commit may be on no branch any more; many servers give it all the same. */
const haveCommit = async (
  { surroundings }: CloningOptions,
  { mirror, url, commit, label }: Pin,
): Promise<void> => {
  const git = (...args: string[]) => runTrusted(surroundings, { mirror, args, timeoutMs: 300_000 })
  const isThere = async () => (await git('cat-file', '-e', `${commit}^{commit}`)).ok
  if (await isThere()) return
  if (!isLocalRepository(url))
    await git('fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', url, commit)
  if (await isThere()) return
  throw new CloneError(
    `The submodule ${label} (${url}) can’t be cloned: its commit ${commit} is on none of its branches.`,
  )
}
