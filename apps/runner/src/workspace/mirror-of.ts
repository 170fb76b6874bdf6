import type { RunnerWelcome, WantedRepository } from '@berth/contract'
import { type GitSurroundings, runTrusted } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
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
}

type Wanted = Pick<WantedRepository, 'url' | 'branch' | 'depth' | 'partial'>

const isLocal = (url: string): boolean => url.startsWith('/') || url.startsWith('file://')

/** The mirror of a repository, up to date. Throws a CloneError. */
export const mirrorOf = async (options: CloningOptions, wanted: Wanted, name: string): Promise<Mirror> => {
  const { welcome, surroundings, mirrorDirectory } = options
  const { url, partial } = wanted
  const mirror = await updateMirror({
    directory: mirrorDirectory,
    project: welcome.project,
    url,
    narrow: isLocal(url) ? undefined : narrowness(wanted),
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

const narrowness = ({ depth, partial }: Wanted): string | undefined => {
  const parts = [...(depth === undefined ? [] : [`depth=${depth}`]), ...(partial === true ? ['partial'] : [])]
  return parts.length === 0 ? undefined : parts.join()
}

const sourceOf = (options: CloningOptions, wanted: Wanted, name: string): MirrorSource => {
  const { welcome, layout, sandbox, surroundings } = options
  const { url, branch, depth, partial = false } = wanted
  // Copying from this machine is cheap: the mirror is whole, and only the clone is narrow.
  if (isLocal(url))
    return localSource({ name, url, roots: welcome.repositoryRoots, sandbox, inside: layout.inside })
  if (narrowness(wanted) === undefined) return remoteSource(name, url)
  return narrowSource({ name, url, branch, depth, partial, surroundings })
}
