import { constants, realpathSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { branchProblem } from '@berth/contract'

/** Where a local repository really is. */
export interface RepositoryPlace {
  /** The directory to show to git: a work tree, a bare repository, or the repository behind a linked worktree. */
  path: string
  /** The branch of a linked worktree, which is not that of its repository. */
  head?: string | undefined
}

/** A path that may not be read, in words that fit after "can’t be cloned: ". */
export class PlaceRefused extends Error {
  override readonly name = 'PlaceRefused'
}

// The same answer for what is missing and what is not allowed: nobody learns what else is on this machine.
const elsewhere = 'there is no such directory below the ones that the operator allows for local repositories'
const linkedElsewhere =
  'it is a linked worktree or a submodule, and its repository is not below the directories that the operator allows for local repositories'

/**
 * The real place of a repository below the allowed directories, with every link followed. A linked worktree (or a
 * submodule's) names its repository in the file `.git`; that one has to lie below them too. Throws PlaceRefused.
 */
export const findRepository = async (url: string, roots: readonly string[]): Promise<RepositoryPlace> => {
  const path = allowed(pathOf(url), roots)
  if (path === undefined) throw new PlaceRefused(elsewhere)
  if (!isDirectory(path)) throw new PlaceRefused('it is not a directory')
  const link = /^gitdir: (.+)\n?$/.exec((await readSmall(join(path, '.git'))) ?? '')?.[1]
  if (link === undefined) return { path }
  const own = allowed(resolve(path, link), roots)
  if (own === undefined) throw new PlaceRefused(linkedElsewhere)
  const common = (await readSmall(join(own, 'commondir')))?.trim() ?? '.'
  const shared = allowed(resolve(own, common), roots)
  if (shared === undefined || !isDirectory(shared)) throw new PlaceRefused(linkedElsewhere)
  const head = /^ref: refs\/heads\/(\S+)\n?$/.exec((await readSmall(join(own, 'HEAD'))) ?? '')?.[1]
  return { path: shared, head: head !== undefined && branchProblem(head) === undefined ? head : undefined }
}

const pathOf = (url: string): string => {
  if (!url.startsWith('file://')) return url
  const path = url.slice('file://'.length)
  try {
    return decodeURIComponent(path)
  } catch {
    // Not a percent-encoding: git takes such a name as it is.
    return path
  }
}

const allowed = (wanted: string, roots: readonly string[]): string | undefined => {
  const path = real(wanted)
  const isUnder = (root: string | undefined) =>
    root !== undefined &&
    path !== undefined &&
    (path === root || path.startsWith(root === '/' ? '/' : `${root}/`))
  return roots.map(real).some(isUnder) ? path : undefined
}

const real = (path: string): string | undefined => {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const longest = 8192

/** A short file that somebody else wrote: no link, no pipe, nothing long. Undefined when it isn't such a file. */
const readSmall = async (path: string): Promise<string | undefined> => {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined)
  try {
    const stat = await file?.stat()
    if (file === undefined || stat?.isFile() !== true || stat.size > longest) return undefined
    return await readAtMost(file)
  } finally {
    await file?.close()
  }
}

const readAtMost = async (file: FileHandle): Promise<string> => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(longest), 0, longest, 0)
  return buffer.toString('utf8', 0, bytesRead)
}
