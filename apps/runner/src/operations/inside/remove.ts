import { lstat, rm, rmdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { entry } from './place.ts'
import { asRefusal, Refusal } from './refusal.ts'
import { checkContent } from './write.ts'

export interface RemoveJob {
  kind: 'delete'
  path: string
  recursive: boolean
  expected?: string
}

/** Removes a file, a link itself, or a directory. */
export const remove = async (root: string, { path, recursive, expected }: RemoveJob) => {
  const place = await entry(root, path)
  try {
    const found = await lstat(place)
    if (expected !== undefined) await checkContent(place, path, expected)
    if (!found.isDirectory()) await unlink(place)
    else await removeDirectory(place, path, recursive)
  } catch (error) {
    throw asRefusal(error, path)
  }
  return {}
}

const removeDirectory = async (place: string, path: string, recursive: boolean): Promise<void> => {
  const git = await lstat(join(place, '.git')).catch(() => undefined)
  if (git !== undefined)
    throw new Refusal(
      'refused',
      `${path} is a git repository. Remove it from the session, or by git, instead.`,
    )
  if (recursive) return rm(place, { recursive: true, force: true })
  await rmdir(place).catch((error) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    throw new Refusal(
      'refused',
      `${path} is a directory with something in it. Say that you mean all of it (recursive).`,
    )
  })
}
