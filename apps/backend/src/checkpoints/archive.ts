import { PassThrough, type Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { BerthError, type CheckpointTree } from '@berth/contract'
import { type Pack, pack } from 'tar-stream'
import { mustRun, quickMs } from './checkpoint-git.ts'
import type { FoundCheckpoint } from './find-checkpoint.ts'
import { type Unpacking, withTree } from './open-checkpoint.ts'
import { readObjects } from './read-objects.ts'
import { isLink, isSubmodule, isTree, parseEntries, type TreeEntry } from './tree-entries.ts'
import { bareDirectories, isBareDirectory, placeOfPath, treesBelow } from './workspace-trees.ts'

/** Part of a tree, with where it lies in the workspace. */
interface Part {
  tree: CheckpointTree
  /** Only what is at or below this path of the tree; empty: all of it. */
  rest: string
}

/**
 * A tar.gz of what is at a path, with the names that it has in the workspace. Not by `git archive`: that leaves out and
 * rewrites what the agent's `.gitattributes` say.
 */
export const archiveOf = async (
  unpacking: Unpacking,
  found: FoundCheckpoint,
  path: string,
): Promise<Readable> => {
  const { trees, at } = found.manifest
  const place = placeOfPath(trees, path)
  const parts: Part[] = [
    ...(place === undefined ? [] : [place]),
    ...treesBelow(trees, path).map((tree) => ({ tree, rest: '' })),
  ]
  const listed = await Promise.all(
    parts.map(async (part) => ({ part, entries: await listPart(unpacking, found, part) })),
  )
  if (listed.every(({ entries }) => entries.length === 0) && !isBareDirectory(trees, path))
    throw new BerthError('file_not_found', `There is nothing at ${path} in this state of the session.`)
  const tar = pack()
  const output = new PassThrough()
  const mtime = new Date(at)
  const write = async () => {
    for (const { part, entries } of listed) await writePart(unpacking, found, { tar, part, entries, mtime })
    for (const name of bareDirectories(trees, path)) await addEntry(tar, { name, type: 'directory', mtime })
    tar.finalize()
  }
  write().catch((error) => tar.destroy(error))
  pipeline(tar, createGzip(), output).catch((error) => output.destroy(error))
  return output
}

const listPart = async (
  unpacking: Unpacking,
  found: FoundCheckpoint,
  { tree, rest }: Part,
): Promise<TreeEntry[]> => {
  const below = rest === '' ? [] : ['--', rest]
  const args = ['--literal-pathspecs', 'ls-tree', '-r', '-l', '-z', tree.shadow, ...below]
  const task = (mirror: string) =>
    mustRun(unpacking.git, { mirror, args, timeoutMs: quickMs, outputLimit: 256 * 1024 * 1024 })
  const entries = parseEntries(await withTree(unpacking, found, { tree, task }))
  return entries.filter(
    (entry) => !isTree(entry) && !isSubmodule(entry) && !entry.path.split('/').includes('..'),
  )
}

const writePart = async (
  unpacking: Unpacking,
  found: FoundCheckpoint,
  { tar, part, entries, mtime }: { tar: Pack; part: Part; entries: TreeEntry[]; mtime: Date },
): Promise<void> => {
  const { tree } = part
  const task = async (mirror: string) => {
    let next = 0
    for await (const content of readObjects(unpacking.git, mirror, entries)) {
      const entry = entries[next++]
      if (entry === undefined) return
      const name = tree.path === '' ? entry.path : `${tree.path}/${entry.path}`
      if (isLink(entry)) {
        const linkname = (await buffer(content)).toString('utf8')
        await addEntry(tar, { name, type: 'symlink', linkname, mtime })
      } else await addFile(tar, content, { name, entry, mtime })
    }
  }
  await withTree(unpacking, found, { tree, task })
}

type Header = Parameters<Pack['entry']>[0]

const addEntry = (tar: Pack, header: Header): Promise<void> =>
  new Promise((resolve, reject) => {
    tar.entry(header, (error) => (error ? reject(error) : resolve()))
  })

const addFile = async (
  tar: Pack,
  content: Readable,
  { name, entry, mtime }: { name: string; entry: TreeEntry; mtime: Date },
): Promise<void> => {
  const mode = entry.mode === '100755' ? 0o755 : 0o644
  const sink = tar.entry({ name, size: entry.size, mode, mtime })
  await pipeline(content, sink)
}
