import { type RunnerWelcome, sessionBranch, type WantedRepository } from '@berth/contract'
import type { GitSurroundings } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { localSource } from '../git/local-source.ts'
import { remoteSource, updateMirror } from '../git/mirror.ts'
import type { Layout } from '../layout.ts'
import { cloneFromMirror, type HalfClone } from './clone.ts'

export interface CloningOptions {
  welcome: Pick<RunnerWelcome, 'session' | 'project' | 'owner' | 'repositoryRoots'>
  layout: Layout
  sandbox: Sandbox
  mirrorDirectory: string
  surroundings: GitSurroundings
}

/** Brings the mirror up to date and clones it beside the workspace. Throws a CloneError; then nothing is left. */
export const cloneRepository = async (
  options: CloningOptions,
  repository: WantedRepository,
  name: string,
): Promise<HalfClone> => {
  const { welcome, layout, sandbox, surroundings, mirrorDirectory } = options
  const mirror = await updateMirror({
    directory: mirrorDirectory,
    project: welcome.project,
    url: repository.url,
    name,
    source: sourceOf(options, repository, name),
    surroundings,
  })
  const branch = sessionBranch(welcome.session)
  const { owner } = welcome
  return cloneFromMirror({ repository, name, mirror, sessionBranch: branch, owner, layout, sandbox })
}

const sourceOf = ({ welcome, layout, sandbox }: CloningOptions, { url }: WantedRepository, name: string) =>
  url.startsWith('/') || url.startsWith('file://')
    ? localSource({ name, url, roots: welcome.repositoryRoots, sandbox, inside: layout.inside })
    : remoteSource(name, url)
