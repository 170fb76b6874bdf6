import { constants } from 'node:fs'
import { lstat, open, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { branchProblem } from '@berth/contract'
import { findRepository, type RemoteRefs } from '@berth/git'

const packedLimit = 16 * 1024 * 1024
const mostFiles = 20_000
const deepest = 20

/**
 * The branches of a repository on this machine, read from its files: its configuration and hooks are somebody else's,
 * and git outside of a sandbox would obey them. Throws PlaceRefused when it does not lie below the allowed directories;
 * undefined: there is no repository, or one that keeps its branches in another way than files.
 */
export const readLocalRefs = async (
  url: string,
  roots: readonly string[],
): Promise<RemoteRefs | undefined> => {
  const place = await findRepository(url, roots)
  const inner = join(place.path, '.git')
  const directory = (await lstat(inner).catch(() => undefined))?.isDirectory() === true ? inner : place.path
  const head = await readFile(join(directory, 'HEAD'), 1000)
  const config = await readFile(join(directory, 'config'), 1024 * 1024)
  if (head === undefined || /^\s*refstorage\s*=/im.test(config ?? '')) return undefined
  const branches = packed((await readFile(join(directory, 'packed-refs'), packedLimit)) ?? '')
  await addLoose(branches, join(directory, 'refs', 'heads'))
  const named = place.head ?? /^ref: refs\/heads\/(\S+)\n?$/.exec(head)?.[1]
  return { head: named !== undefined && branches.has(named) ? named : undefined, branches }
}

const object = /^([0-9a-f]{40}|[0-9a-f]{64})\s*$/

const packed = (text: string): Map<string, string> => {
  const branches = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, commit, name] = /^([0-9a-f]{40}|[0-9a-f]{64}) refs\/heads\/(\S+)$/.exec(line) ?? []
    if (commit !== undefined && name !== undefined && branchProblem(name) === undefined)
      branches.set(name, commit)
  }
  return branches
}

/** A branch in a file of its own counts before one in the packed list. */
const addLoose = async (branches: Map<string, string>, root: string): Promise<void> => {
  let left = mostFiles
  const walk = async (prefix: string, depth: number): Promise<void> => {
    const directory = await opendir(join(root, prefix)).catch(() => undefined)
    if (directory === undefined) return
    for await (const entry of directory) {
      if (left-- <= 0) return
      const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`
      if (entry.isDirectory() && depth < deepest) await walk(name, depth + 1)
      if (!entry.isFile() || branchProblem(name) !== undefined) continue
      const commit = object.exec((await readFile(join(root, name), 1000)) ?? '')?.[1]
      if (commit !== undefined) branches.set(name, commit)
    }
  }
  await walk('', 0)
}

/** A file that somebody else wrote: no link, no pipe, nothing longer. Undefined when it isn't such a file. */
const readFile = async (path: string, limit: number): Promise<string | undefined> => {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined)
  try {
    const stat = await file?.stat()
    if (file === undefined || stat?.isFile() !== true || stat.size > limit) return undefined
    const { buffer, bytesRead } = await file.read(Buffer.alloc(stat.size), 0, stat.size, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file?.close()
  }
}
