import { lstat, mkdir, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { asRefusal, Refusal } from './refusal.ts'

/** The real path of what is there. Links count as long as they stay in the workspace. */
export const existing = async (root: string, path: string): Promise<string> =>
  within(root, path, await realpath(join(root, path)).catch(rethrow(path)))

/**
 * The place of an entry, there or not: its directory's real path, and its own name, not followed when it is a link.
 * Refuses what lies in a `.git`, which only git changes.
 */
export const entry = async (root: string, path: string): Promise<string> => {
  if (path === '')
    throw new Refusal('refused', 'The workspace itself can’t be changed. Name something in it.')
  const parent = await existing(root, dirname(path) === '.' ? '' : dirname(path))
  return changeable(root, path, join(parent, basename(path)))
}

/** The place to write a file at; missing directories are made. A link to a file is followed. */
export const writable = async (root: string, path: string): Promise<string> => {
  const directory = dirname(path) === '.' ? '' : dirname(path)
  await makeDirectories(root, directory)
  const place = await entry(root, path)
  const found = await lstat(place).catch(() => undefined)
  if (found?.isSymbolicLink() !== true) return place
  return changeable(root, path, await existing(root, path))
}

/** Makes what is missing of a directory, below its deepest part that is there. */
const makeDirectories = async (root: string, directory: string): Promise<void> => {
  const parts = directory === '' ? [] : directory.split('/')
  for (let length = parts.length; length >= 0; length--) {
    const part = parts.slice(0, length).join('/')
    const real = await realpath(join(root, part)).catch(() => undefined)
    if (real === undefined) continue
    const place = changeable(root, directory, join(within(root, directory, real), ...parts.slice(length)))
    await mkdir(place, { recursive: true, mode: 0o755 }).catch((error) => {
      if (['EEXIST', 'ENOTDIR'].includes(error.code))
        throw new Refusal(
          'not-a-directory',
          `${directory} is no directory, so nothing can be written into it.`,
        )
      throw asRefusal(error, directory)
    })
    return
  }
}

const within = (root: string, path: string, real: string): string => {
  if (real === root || real.startsWith(`${root}/`)) return real
  throw new Refusal('refused', `${path} leads out of the workspace through a link.`)
}

const changeable = (root: string, path: string, place: string): string => {
  const parts = place.slice(root.length).toLowerCase().split('/')
  if (!parts.includes('.git')) return place
  throw new Refusal('refused', `${path} belongs to git, and only git changes it.`)
}

const rethrow = (path: string) => (error: unknown) => {
  throw asRefusal(error, path)
}
