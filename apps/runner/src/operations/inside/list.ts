import { lstat, opendir, readlink } from 'node:fs/promises'
import { constants } from 'node:os'
import type { FileEntry } from '@berth/contract'
import { existing } from './place.ts'
import { asRefusal, Refusal } from './refusal.ts'

export interface ListJob {
  kind: 'list'
  path: string
  after?: string
  /** All files below, by their path. */
  recursive?: boolean
  /** The most entries, and characters of JSON, of one answer. */
  limits: { entries: number; length: number; target: number }
}

/** The entries of a directory by name, the first ones after `after`; of a large one only these are held. */
export const list = async (root: string, { path, after, recursive, limits }: ListJob) => {
  const directory = await existing(root, path)
  if (recursive === true) return walk(directory, path, limits)
  const names = await firstNames(directory, path, {
    after: Buffer.from(after ?? ''),
    limit: limits.entries + 1,
  })
  const entries: FileEntry[] = []
  let length = 0
  for (const name of names.slice(0, limits.entries)) {
    const entry = await describe(directory, name, limits.target)
    length += JSON.stringify(entry).length
    if (length > limits.length && entries.length > 0) return { entries, more: true }
    entries.push(entry)
  }
  return { entries, more: names.length > limits.entries }
}

const firstNames = async (
  directory: string | Buffer,
  path: string,
  { after, limit }: { after: Buffer; limit: number },
): Promise<Buffer[]> => {
  let names: Buffer[] = []
  const sortAndCut = () => {
    names = names.sort(Buffer.compare).slice(0, limit)
  }
  try {
    // The type of `encoding` does not know that names can be bytes.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 1024 }
    for await (const item of await opendir(directory, options)) {
      const name = item.name as unknown as Buffer
      if (Buffer.compare(name, after) <= 0) continue
      names.push(Buffer.from(name))
      if (names.length >= 8 * limit) sortAndCut()
    }
  } catch (error) {
    if (error instanceof Error && 'errno' in error && error.errno === -constants.errno.ENOTDIR)
      throw new Refusal('not-a-directory', `${path} is no directory.`)
    throw asRefusal(error, path)
  }
  sortAndCut()
  return names
}

/** Files below a directory by path, as many as there may be; links are told and not followed. */
const walk = async (
  directory: string,
  path: string,
  { entries: most, length, target }: ListJob['limits'],
) => {
  const entries: FileEntry[] = []
  let room = length
  const enter = async (place: Buffer, below: string): Promise<boolean> => {
    for (const name of await firstNames(place, path, { after: Buffer.alloc(0), limit: most + 1 })) {
      const found = await describe(place, name, target)
      const entry = { ...found, name: below === '' ? found.name : `${below}/${found.name}` }
      if (found.kind === 'directory') {
        const inside = Buffer.concat([place, Buffer.from('/'), name])
        // What is gone by now, or can't be entered, has nothing to tell.
        if (!(await enter(inside, entry.name).catch(() => true))) return false
        continue
      }
      room -= JSON.stringify(entry).length
      if (entries.length === most || (room < 0 && entries.length > 0)) return false
      entries.push(entry)
    }
    return true
  }
  const whole = await enter(Buffer.from(directory), '')
  return { entries, more: !whole }
}

const describe = async (directory: string | Buffer, name: Buffer, longest: number): Promise<FileEntry> => {
  const place = Buffer.concat([Buffer.from(directory), Buffer.from('/'), name])
  const shown = name.toString('utf8')
  const garbled = Buffer.from(shown).equals(name) ? {} : { garbled: true as const }
  // It may be gone by now: then it is shown as something that is none of the others.
  const stat = await lstat(place).catch(() => undefined)
  if (stat === undefined) return { name: shown, kind: 'other', size: 0, mode: 0, ...garbled }
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'directory'
      : stat.isSymbolicLink()
        ? 'link'
        : 'other'
  const target = kind === 'link' ? await readlink(place).catch(() => undefined) : undefined
  return {
    name: shown,
    kind,
    size: kind === 'file' ? stat.size : 0,
    mode: stat.mode & 0o7777,
    modifiedAt: timeOf(stat.mtimeMs),
    ...(target === undefined ? {} : { target: target.slice(0, longest) }),
    ...garbled,
  }
}

/** A file may say that it is from any time; only those that a date can name are told. */
const timeOf = (ms: number): string | undefined =>
  ms >= 0 && ms < 253_402_300_800_000 ? new Date(ms).toISOString() : undefined
