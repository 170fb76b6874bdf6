import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { MirrorGit } from './mirror.ts'

const quickMs = 60_000

/**
 * Removes what a killed git left in a mirror: lock files, with which every later one would fail, and half packs. A mirror
 * that git doesn't know as a repository any more is removed as a whole, to be made anew. Call it under the mirror's lock.
 */
export const tidyMirror = async (git: MirrorGit, path: string): Promise<void> => {
  await removeHalfMade(path)
  const names = await readdir(path, { recursive: true }).catch(() => [])
  const left = names.filter((name) => /\.lock$|(^|\/)tmp_[^/]+$/.test(name))
  await Promise.all(left.map((name) => rm(join(path, name), { recursive: true, force: true })))
  if (names.length === 0) return
  const known = await git({ mirror: path, args: ['rev-parse', '--is-bare-repository'], timeoutMs: quickMs })
  if (!known.ok && !known.timedOut) await rm(path, { recursive: true, force: true })
}

/** Of a start that was killed between making an empty mirror and naming it. */
const removeHalfMade = async (path: string): Promise<void> => {
  const directory = dirname(path)
  const half = (await readdir(directory)).filter(
    (name) => join(directory, name).startsWith(`${path}.`) && name.endsWith('.new'),
  )
  await Promise.all(half.map((name) => rm(join(directory, name), { recursive: true, force: true })))
}
