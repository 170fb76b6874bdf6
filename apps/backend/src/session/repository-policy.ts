import { realpath, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { BerthError } from '@berth/contract'

/** The path of a local repository; undefined: it is a remote one. */
const localPath = (url: string): string | undefined => {
  if (url.startsWith('/')) return url
  if (!/^file:\/\//i.test(url)) return undefined
  const path = url.slice('file://'.length)
  try {
    return decodeURIComponent(path)
  } catch {
    // Not a percent-encoding: git takes such a name as it is.
    return path
  }
}

const isUnder = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)

/**
 * Rejects a local repository outside the allowed roots, also through symlinks, and one that isn't there. Remote ones
 * pass: their form was checked by the contract, and cloning tells the rest. The runner checks again when it clones.
 */
export const repositoryPolicy =
  (roots: readonly string[]) =>
  async (url: string, field: string): Promise<void> => {
    const path = localPath(url)
    if (path === undefined) return
    const refuse = (code: 'repository_not_allowed' | 'invalid_input', message: string): never => {
      throw new BerthError(code, message, [{ field, message }])
    }
    // Outside the roots nothing is told, not even whether there is something.
    const real = await realpath(path).catch(() => undefined)
    const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => root)))
    const place = real ?? resolve(path)
    const known = real === undefined ? [...realRoots, ...roots.map((root) => resolve(root))] : realRoots
    if (!known.some((root) => isUnder(place, root)))
      refuse(
        'repository_not_allowed',
        `${path} is outside the directories that Berth may read (${roots.join(', ')}). Add its directory to BERTH_REPOSITORY_ROOTS.`,
      )
    const info = real === undefined ? undefined : await stat(real).catch(() => undefined)
    if (info === undefined) refuse('invalid_input', `There is no directory ${path}.`)
    if (info?.isDirectory() === false) refuse('invalid_input', `${path} is not a directory.`)
  }
