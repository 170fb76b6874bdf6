import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, link, lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writable } from './place.ts'
import { openFile } from './read.ts'
import { asRefusal, Refusal } from './refusal.ts'

export interface WriteJob {
  kind: 'write'
  path: string
  /** Name of the file in the workspace that holds what has come so far. */
  part: string
  size: number
  sha256?: string
  executable?: boolean
  expected?: string | null
}

/** Puts what comes by standard input in the place of a file, as a whole or not at all. */
export const write = async (root: string, job: WriteJob) => {
  const { path } = job
  const part = join(root, job.part)
  try {
    const file = await open(part, 'wx', 0o600)
    try {
      const sha256 = await receive(file, job)
      const place = await writable(root, path)
      const before = await check(place, job)
      await file.chmod(modeOf(job, before))
      await file.sync()
      await putInPlace(part, place, job)
      return { size: job.size, created: before === undefined, sha256 }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw asRefusal(error, path)
  } finally {
    await rm(part, { force: true })
  }
}

const receive = async (file: FileHandle, { path, size, sha256 }: WriteJob): Promise<string> => {
  const hash: Hash = createHash('sha256')
  let received = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    received += chunk.length
    if (received > size) break
    hash.update(chunk)
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten
  }
  if (received !== size) throw new Refusal('failed', `The content of ${path} did not arrive as a whole.`)
  const found = hash.digest('hex')
  if (sha256 !== undefined && sha256 !== found)
    throw new Refusal(
      'changed',
      `The content that was sent for ${path} has the SHA-256 ${found}, not ${sha256}.`,
    )
  return found
}

/** The mode of what is replaced; undefined: nothing is. */
const check = async (place: string, { path, expected }: WriteJob): Promise<number | undefined> => {
  const found = await lstat(place).catch(() => undefined)
  if (found?.isDirectory()) throw new Refusal('not-a-file', `${path} is a directory.`)
  if (found !== undefined && !found.isFile())
    throw new Refusal('not-a-file', `${path} is neither a file nor a directory.`)
  if (expected === null && found !== undefined) throw new Refusal('changed', `${path} exists already.`)
  if (typeof expected === 'string') await checkContent(place, path, expected)
  return found?.mode
}

/** Refuses unless the content of a file is the expected one. */
export const checkContent = async (place: string, path: string, expected: string): Promise<void> => {
  const file = await openFile(place, path)
  const hash = createHash('sha256')
  for await (const chunk of file.createReadStream()) hash.update(chunk)
  if (hash.digest('hex') !== expected)
    throw new Refusal(
      'changed',
      `${path} is not what you read any more. Read it again, then repeat your change.`,
    )
}

const modeOf = ({ executable }: WriteJob, before: number | undefined): number => {
  const mode = (before ?? 0o644) & 0o777
  if (executable === undefined) return mode
  return executable ? mode | 0o111 : mode & ~0o111
}

const putInPlace = async (part: string, place: string, { path, expected }: WriteJob): Promise<void> => {
  // A link can't replace what has come to be there meanwhile.
  if (expected === null)
    await link(part, place).catch((error) => {
      throw error.code === 'EEXIST' ? new Refusal('changed', `${path} exists already.`) : error
    })
  else await rename(part, place)
  const directory = await open(dirname(place), 'r')
  await directory.sync().finally(() => directory.close())
}
