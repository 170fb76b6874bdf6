import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { existing } from './place.ts'
import { asRefusal, Refusal } from './refusal.ts'

export interface ReadJob {
  kind: 'read'
  path: string
  maxBytes: number
}

/** Prints a file. Opening waits for nobody, whatever lies at the path. */
export const read = async (root: string, { path, maxBytes }: ReadJob) => {
  const file = await openFile(await existing(root, path), path)
  const { size, mode } = await file.stat()
  if (size > maxBytes)
    throw new Refusal('too-large', `${path} has ${size} bytes; at most ${maxBytes} can be read.`)
  // What is added meanwhile is left out, so that the content is one that the file had.
  if (size > 0)
    await pipeline(file.createReadStream({ start: 0, end: size - 1 }), process.stdout, { end: false })
  return { executable: (mode & 0o111) !== 0 }
}

/** Opens a file to read it, and nothing else. */
export const openFile = async (place: string, path: string): Promise<FileHandle> => {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(place, flags).catch((error) => {
    // A socket can't be opened at all.
    if (error.code === 'ENXIO') throw notFile(path, 'is neither a file nor a directory')
    throw asRefusal(error, path)
  })
  const stat = await file.stat()
  if (stat.isFile()) return file
  await file.close()
  throw notFile(path, stat.isDirectory() ? 'is a directory' : 'is neither a file nor a directory')
}

const notFile = (path: string, what: string) => new Refusal('not-a-file', `${path} ${what}.`)
