import { isLocalRepository, type RunnerWelcome, type WantedRepository } from '@berth/contract'
import { type GitSurroundings, runTrusted } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { CloneError } from '../git/explain.ts'
import { localSource } from '../git/local-source.ts'
import { type Mirror, type MirrorSource, remoteSource, updateMirror } from '../git/mirror.ts'
import { narrowSource } from '../git/narrow-source.ts'
import type { Layout } from '../layout.ts'

export interface CloningOptions {
  welcome: Pick<RunnerWelcome, 'session' | 'project' | 'owner' | 'repositoryRoots'>
  layout: Layout
  sandbox: Sandbox
  mirrorDirectory: string
  surroundings: GitSurroundings
  /** How one remote is reached. Default: as `surroundings` says. */
  surroundingsFor?: (url: string) => Promise<GitSurroundings>
}

type Wanted = Pick<WantedRepository, 'url' | 'branch' | 'depth' | 'partial'>

/** What making a mirror needs to know of the session. */
export type MirrorOptions = Omit<CloningOptions, 'welcome'> & {
  welcome: Pick<RunnerWelcome, 'project' | 'repositoryRoots'>
  /** Limit for fetching a whole mirror, in ms. Default: `remoteSource`'s. */
  timeoutMs?: number
}

/** The same options with what counts for one remote. */
export const optionsFor = async <T extends MirrorOptions>(options: T, url: string): Promise<T> => ({
  ...options,
  surroundings: (await options.surroundingsFor?.(url)) ?? options.surroundings,
})

/** The mirror of a repository, up to date. Throws a CloneError. */
export const mirrorOf = async (all: MirrorOptions, wanted: Wanted, name: string): Promise<Mirror> => {
  const { url, partial } = wanted
  const options = await optionsFor(all, url)
  const { welcome, surroundings, mirrorDirectory } = options
  const problem = surroundings.proxy === undefined ? undefined : proxyProblem(url)
  if (problem !== undefined)
    throw new CloneError(`The repository ${name} (${url}) can’t be cloned: ${problem}`)
  const mirror = await updateMirror({
    directory: mirrorDirectory,
    project: welcome.project,
    url,
    narrow: isLocalRepository(url) ? undefined : narrowness(wanted),
    name,
    source: sourceOf(options, wanted, name),
    surroundings,
  })
  // The clone asks for what it checks out, by name.
  if (partial === true)
    for (const setting of ['allowFilter', 'allowAnySHA1InWant'])
      await runTrusted(surroundings, {
        mirror: mirror.path,
        args: ['config', `uploadpack.${setting}`, 'true'],
        timeoutMs: 60_000,
      })
  return mirror
}

/** Why the git proxy has no way to a repository, in words that fit after "can’t be cloned: ". */
const proxyProblem = (url: string): string | undefined => {
  if (/^https?:/i.test(url)) return undefined
  return isLocalRepository(url)
    ? 'it is a path of some machine, and this session runs on another one. Push it to a git server, and name it by its https:// address there.'
    : 'sessions here reach git servers by https:// alone. Name it by its https:// address.'
}

const narrowness = ({ depth, partial }: Wanted): string | undefined => {
  const parts = [...(depth === undefined ? [] : [`depth=${depth}`]), ...(partial === true ? ['partial'] : [])]
  return parts.length === 0 ? undefined : parts.join()
}

const sourceOf = (options: MirrorOptions, wanted: Wanted, name: string): MirrorSource => {
  const { welcome, layout, sandbox, surroundings, timeoutMs } = options
  const { url, branch, depth, partial = false } = wanted
  // Copying from this machine is cheap: the mirror is whole, and only the clone is narrow.
  if (isLocalRepository(url))
    return localSource({ name, url, roots: welcome.repositoryRoots, sandbox, inside: layout.inside })
  if (narrowness(wanted) === undefined) return remoteSource(name, url, timeoutMs)
  return narrowSource({ name, url, branch, depth, partial, surroundings })
}
