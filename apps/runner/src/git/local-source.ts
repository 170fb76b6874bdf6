import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { branchProblem } from '@berth/contract'
import {
  type BoxedScript,
  collect,
  findRepository,
  lastLine,
  PlaceRefused,
  runBoxed,
  startBoxed,
  strictness,
} from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { CloneError, explainGit } from './explain.ts'
import { listRefs, type MirrorGit, type MirrorSource, parseRefs } from './mirror.ts'

/** Prints what the source has. Its config and hooks are somebody else's, so even this runs in a sandbox. */
const describeScript = `
set -eu
export GIT_CEILING_DIRECTORIES=$(dirname "$PWD")
[ -e .git ] || export GIT_DIR="$PWD" GIT_WORK_TREE="$PWD"
export GIT_DIR=$(git rev-parse --absolute-git-dir)
echo "head $(git symbolic-ref -q HEAD || true)"
if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
  while read -r commit; do echo "shallow $commit"; done < "$(git rev-parse --git-path shallow)"
fi
[ ! -s "$(git rev-parse --git-path objects/info/alternates)" ] || echo borrows
git for-each-ref --format='%(objectname) %(refname)' refs/heads refs/tags
`

/** Writes a pack of everything wanted to its output. Wanted and had objects come in, \`^\` before the latter. */
const packScript = `
set -eu
[ -e .git ] || export GIT_DIR="$PWD" GIT_WORK_TREE="$PWD"
export GIT_DIR=$(git rev-parse --absolute-git-dir)
git rev-list --objects --ignore-missing --stdin | git pack-objects --quiet --stdout --delta-base-offset
`

const listLimit = 64 * 1024 * 1024

export interface LocalSourceOptions {
  name: string
  url: string
  /** Directories that it must lie under. */
  roots: readonly string[]
  sandbox: Sandbox
  /** Where the source and temporary files appear inside; no source: where it is. */
  inside: { source: string; temporary: string }
  /** Limit for the copying, in ms. Default: 15 minutes. */
  timeoutMs?: number
}

/**
 * A repository on this machine. Its git runs in a sandbox that shows nothing but it, read-only; only a pack, which is
 * checked, and names of refs come out.
 */
export const localSource = (options: LocalSourceOptions): MirrorSource => ({
  async update(git, path) {
    const place = await placeOf(options)
    const box = sourceBox(options, place.path)
    const source = await describe(options, box)
    const have = (await listRefs(git, path)) ?? new Map<string, string>()
    if (source.shallow.length > 0) await writeFile(join(path, 'shallow'), `${source.shallow.join('\n')}\n`)
    const present = new Set(have.values())
    try {
      if ([...source.refs.values()].some((object) => !present.has(object)))
        await copyObjects(options, { git, path, box, wanted: source.refs, have: present })
      await setRefs(options, { git, path, wanted: source.refs, have })
    } catch (error) {
      throw source.borrows ? borrowed(options) : error
    }
    return place.head ?? source.head
  },
})

const borrowed = ({ name, url }: LocalSourceOptions): CloneError =>
  new CloneError(
    `The repository ${name} (${url}) can’t be cloned: it borrows objects of another repository (git clone --shared or ` +
      '--reference), which is not read. Make it whole with git repack -a -d, remove its objects/info/alternates, then ' +
      'try again.',
  )

/** Where the source is. Throws a CloneError when it isn't there or lies outside of the allowed directories. */
const placeOf = async ({ name, url, roots }: Pick<LocalSourceOptions, 'name' | 'url' | 'roots'>) => {
  try {
    return await findRepository(url, roots)
  } catch (error) {
    if (!(error instanceof PlaceRefused)) throw error
    throw new CloneError(`The repository ${name} (${url}) can’t be cloned: ${error.message}.`)
  }
}

type SourceBox = Omit<BoxedScript, 'script' | 'args' | 'timeoutMs'>

const sourceBox = ({ inside }: LocalSourceOptions, path: string): SourceBox => {
  const target = inside.source === '' ? path : inside.source
  return { mounts: [{ path, mode: 'ro', target }], cwd: target, temporary: inside.temporary }
}

const describe = async ({ sandbox, name, url }: LocalSourceOptions, box: SourceBox) => {
  const command = { ...box, script: describeScript, args: [], timeoutMs: 60_000, outputLimit: listLimit }
  const { exit, stdout, stderr, overflow } = await runBoxed(sandbox, command)
  if (exit.reason === 'spawn-failed')
    throw new CloneError(`The repository ${name} can’t be cloned: ${exit.message}`)
  if (exit.code !== 0 || overflow)
    throw explainGit(name, url, { stderr, timedOut: exit.reason === 'time-limit' })
  const lines = stdout.toString('utf8').split('\n')
  const head = /^head refs\/heads\/(\S+)$/.exec(lines[0] ?? '')?.[1]
  const shallow = lines.flatMap((line) => /^shallow ([0-9a-f]{40,64})$/.exec(line)?.[1] ?? [])
  const refs = [...parseRefs(stdout.toString('utf8'))].filter(
    ([ref]) => branchProblem(ref.replace(/^refs\/(heads|tags)\//, '')) === undefined,
  )
  return {
    head: head !== undefined && branchProblem(head) === undefined ? head : undefined,
    shallow,
    borrows: lines.includes('borrows'),
    refs: new Map(refs),
  }
}

interface Copy {
  git: MirrorGit
  path: string
  box: SourceBox
  wanted: ReadonlyMap<string, string>
  have: ReadonlySet<string>
}

const copyObjects = async (
  options: LocalSourceOptions,
  { git, path, box, wanted, have }: Copy,
): Promise<void> => {
  const { sandbox, name, url, timeoutMs = 900_000 } = options
  const packer = startBoxed(sandbox, { ...box, script: packScript, args: [], timeoutMs })
  packer.stdin.end(
    `${[...new Set(wanted.values()), ...[...have].map((object) => `^${object}`)].join('\n')}\n`,
  )
  const [indexed, stderr, exit] = await Promise.all([
    git({
      mirror: path,
      args: ['index-pack', '--stdin', '--fix-thin', `--strict=${strictness}`],
      timeoutMs,
      input: packer.stdout,
    }),
    collect(packer.stderr, 16 * 1024, () => undefined),
    packer.exited,
  ])
  const said = stderr.toString('utf8')
  if (exit.code !== 0 && lastLine(said) !== '')
    throw explainGit(name, url, { stderr: said, timedOut: exit.reason === 'time-limit' })
  if (!indexed.ok) throw explainGit(name, url, indexed)
}

interface RefChange {
  git: MirrorGit
  path: string
  wanted: ReadonlyMap<string, string>
  have: ReadonlyMap<string, string>
}

/** Makes the mirror's branches and tags those of the source. Refuses objects that did not come. */
const setRefs = async (
  { name, url }: LocalSourceOptions,
  { git, path, wanted, have }: RefChange,
): Promise<void> => {
  const deletions = [...have.keys()].filter((ref) => !wanted.has(ref)).map((ref) => `delete ${ref}`)
  const updates = [...wanted]
    .filter(([ref, to]) => have.get(ref) !== to)
    .map(([ref, to]) => `update ${ref} ${to}`)
  // First the deletions: `a/b` can't be made while there is `a`.
  for (const lines of [deletions, updates]) {
    if (lines.length === 0) continue
    const input = `${lines.join('\n')}\n`
    const changed = await git({ mirror: path, args: ['update-ref', '--stdin'], timeoutMs: 60_000, input })
    if (!changed.ok) throw explainGit(name, url, changed)
  }
}
