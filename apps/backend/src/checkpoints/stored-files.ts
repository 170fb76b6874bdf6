import { buffer } from 'node:stream/consumers'
import { BerthError, type FileEntry, limits } from '@berth/contract'
import type { Store } from '../store/port.ts'
import { archiveOf } from './archive.ts'
import type { CheckpointFiles, FilesQuery, ListedFiles, ReadFile } from './files.ts'
import { type FoundCheckpoint, findRef, readCheckpoint } from './find-checkpoint.ts'
import { openTree, type Unpacking, withTree } from './open-checkpoint.ts'
import { readObject, readObjects } from './read-objects.ts'
import { entryAt, isLink, isSubmodule, isTree, listTree, type TreeEntry } from './tree-entries.ts'
import { bareDirectories, isBareDirectory, nameBelow, placeOfPath } from './workspace-trees.ts'

const mostEntries = 500

const notFound = (path: string) =>
  new BerthError('file_not_found', `There is nothing at ${path} in this state of the session.`)
const notADirectory = (path: string) =>
  new BerthError('not_a_directory', `${path} is not a directory. Read it as a file.`)
const notAFile = (path: string, what: string) => new BerthError('not_a_file', `${path || '/'} is ${what}.`)

export const createCheckpointFiles = (store: Store, unpacking: Unpacking): CheckpointFiles => {
  const find = async (session: string, turn: string | undefined): Promise<FoundCheckpoint> => {
    const state = await store.state(session)
    if (state === undefined) throw new BerthError('session_not_found', `There is no session ${session}.`)
    const stores = { store, blobs: unpacking.blobs }
    return readCheckpoint(stores, state, await findRef(stores, state, turn))
  }
  return {
    async list(session, { path, turn, after, limit = mostEntries }) {
      const found = await find(session, turn)
      const entries = await listDirectory(unpacking, found, path)
      const sorted = [...entries.values()].sort((a, b) => compareBytes(a.entry.name, b.entry.name))
      const rest =
        after === undefined ? sorted : sorted.filter(({ entry }) => compareBytes(entry.name, after) > 0)
      const page = rest.slice(0, Math.min(limit, mostEntries))
      await readTargets(unpacking, found, { path, page })
      const more = rest.length > page.length
      return { entries: page.map(({ entry }) => entry), more, ...stateOf(found) } satisfies ListedFiles
    },
    read: async (session, query) => readFile(unpacking, await find(session, query.turn), query),
    async archive(session, { path, turn }) {
      const found = await find(session, turn)
      return { content: await archiveOf(unpacking, found, path), checkpoint: found.ref.number }
    },
  }
}

const stateOf = ({ ref }: FoundCheckpoint) => ({ checkpoint: ref.number, turn: ref.turn })

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

interface Listed {
  entry: FileEntry
  /** Of a link: the object with its target. */
  link?: TreeEntry
}

const listDirectory = async (
  unpacking: Unpacking,
  found: FoundCheckpoint,
  path: string,
): Promise<Map<string, Listed>> => {
  const { trees } = found.manifest
  const entries = new Map<string, Listed>()
  for (const item of await entriesIn(unpacking, found, path))
    entries.set(item.path, { entry: toEntry(item), ...(isLink(item) ? { link: item } : {}) })
  for (const bare of bareDirectories(trees, path)) {
    const name = nameBelow(bare, path)
    const known = entries.get(name)?.entry
    if (known?.kind !== 'directory') entries.set(name, { entry: directoryEntry(name) })
  }
  return entries
}

const entriesIn = async (
  unpacking: Unpacking,
  found: FoundCheckpoint,
  path: string,
): Promise<TreeEntry[]> => {
  const { trees } = found.manifest
  const place = placeOfPath(trees, path)
  if (place === undefined) {
    if (isBareDirectory(trees, path)) return []
    throw notFound(path)
  }
  const { tree, rest } = place
  const task = async (mirror: string) => {
    if (rest === '') return listTree(unpacking.git, mirror, tree.shadow)
    const entry = await entryAt(unpacking.git, mirror, { object: tree.shadow, path: rest })
    if (entry !== undefined && isTree(entry)) return listTree(unpacking.git, mirror, entry.object)
    if (isBareDirectory(trees, path) || (entry !== undefined && isSubmodule(entry))) return []
    throw entry === undefined ? notFound(path) : notADirectory(path)
  }
  return withTree(unpacking, found, { tree, task })
}

const directoryEntry = (name: string): FileEntry => ({ name, kind: 'directory', size: 0, mode: 0o755 })

const toEntry = (item: TreeEntry): FileEntry => {
  if (isTree(item) || isSubmodule(item)) return directoryEntry(item.path)
  if (isLink(item)) return { name: item.path, kind: 'link', size: item.size, mode: 0o777 }
  return { name: item.path, kind: 'file', size: item.size, mode: item.mode === '100755' ? 0o755 : 0o644 }
}

/** Adds to the links of a page where they point. */
const readTargets = async (
  unpacking: Unpacking,
  found: FoundCheckpoint,
  { path, page }: { path: string; page: readonly Listed[] },
): Promise<void> => {
  const links = page.flatMap(({ entry, link }) =>
    link !== undefined && link.size <= limits.path ? [{ entry, link }] : [],
  )
  const place = placeOfPath(found.manifest.trees, path)
  if (links.length === 0 || place === undefined) return
  const task = async (mirror: string) => {
    const objects = links.map(({ link }) => link)
    let next = 0
    for await (const content of readObjects(unpacking.git, mirror, objects)) {
      const target = (await buffer(content)).toString('utf8')
      const entry = links[next++]?.entry
      if (entry !== undefined) entry.target = target
    }
  }
  await withTree(unpacking, found, { tree: place.tree, task })
}

const readFile = async (
  unpacking: Unpacking,
  found: FoundCheckpoint,
  { path }: FilesQuery,
): Promise<ReadFile> => {
  const { trees } = found.manifest
  const place = placeOfPath(trees, path)
  if (isBareDirectory(trees, path)) throw notAFile(path, 'a directory')
  if (place === undefined) throw notFound(path)
  const lease = await openTree(unpacking, found, place.tree)
  try {
    const where = { object: place.tree.shadow, path: place.rest }
    const entry = await entryAt(unpacking.git, lease.path, where)
    if (entry === undefined) throw notFound(path)
    if (isTree(entry) || isSubmodule(entry)) throw notAFile(path, 'a directory')
    if (isLink(entry)) throw notAFile(path, 'a link. Read what it points at')
    if (entry.size > limits.file)
      throw new BerthError(
        'too_large',
        `${path} has ${entry.size} bytes; at most ${limits.file} are sent alone. Take an archive.`,
      )
    const content = readObject(unpacking.git, lease.path, entry.object)
    content.once('close', () => lease.release())
    return { size: entry.size, executable: entry.mode === '100755', content, ...stateOf(found) }
  } catch (error) {
    lease.release()
    throw error
  }
}
