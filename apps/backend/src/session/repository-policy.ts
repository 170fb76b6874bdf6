import { realpath, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { BerthError } from '@berth/contract'

const localPath = (url: string): string | undefined => {
  if (url.startsWith('/')) return url
  return url.startsWith('file://') ? decodeURIComponent(url.slice('file://'.length)) : undefined
}

/**
 * Rejects a local repository outside the allowed roots, also through symlinks, and one that isn't there. Remote ones
 * pass: their form was checked by the contract, and cloning tells the rest. The runner checks again when it clones.
 */
export const repositoryPolicy =
  (roots: readonly string[]) =>
  async (url: string, index: number): Promise<void> => {
    const path = localPath(url)
    if (path === undefined) return
    const refuse = (code: 'repository_not_allowed' | 'invalid_input', message: string): never => {
      throw new BerthError(code, message, [{ field: `body.repositories[${index}].url`, message }])
    }
    const real = await realpath(path).catch(() => refuse('invalid_input', `There is no directory ${path}.`))
    const allowed = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)))
    if (
      !allowed.some(
        (root) => root !== undefined && (real === root || real.startsWith(root === sep ? sep : root + sep)),
      )
    )
      refuse(
        'repository_not_allowed',
        `${path} is outside the directories that Berth may read (${roots.join(', ')}). Add its directory to BERTH_REPOSITORY_ROOTS.`,
      )
    if (!(await stat(real)).isDirectory()) refuse('invalid_input', `${path} is not a directory.`)
  }
