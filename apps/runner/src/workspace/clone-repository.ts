import { sessionBranch, type WantedRepository } from '@berth/contract'
import { cloneFromMirror, type HalfClone } from './clone.ts'
import { cloneSubmodules } from './clone-submodules.ts'
import { type CloningOptions, mirrorOf } from './mirror-of.ts'
import { removeTrees } from './trees.ts'

/** Brings the mirror up to date and clones it beside the workspace. Throws a CloneError; then nothing is left. */
export const cloneRepository = async (
  options: CloningOptions,
  repository: WantedRepository,
  name: string,
): Promise<HalfClone> => {
  const { welcome, layout, sandbox } = options
  const { owner } = welcome
  const mirror = await mirrorOf(options, repository, name)
  const branch = sessionBranch(welcome.session)
  const made = await cloneFromMirror({
    repository,
    name,
    mirror,
    sessionBranch: branch,
    owner,
    layout,
    sandbox,
  })
  const { half, tracked } = made
  if (repository.submodules !== true || tracked.base === undefined) return made
  try {
    const from = { mirror: mirror.path, commit: tracked.base, url: repository.url }
    await cloneSubmodules({ ...options, repository, name, half, owner: from })
    return made
  } catch (error) {
    await removeTrees(options, 'clones', [half])
    throw error
  }
}
