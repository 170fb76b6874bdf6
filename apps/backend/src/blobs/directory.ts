import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { link, mkdir, open, opendir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BerthError } from '@berth/contract'
import type { BlobStore, BlobUpload } from './port.ts'

export interface DirectoryBlobsOptions {
  /** Where the blobs lie: `<session>/<sha256>`. Made if missing; belongs to one process at a time. */
  directory: string
}

/** Uploads under way; what is left of a crash is removed at the start. */
const incoming = '.incoming'

/** Blobs as files in a directory. */
export const createDirectoryBlobs = async ({ directory }: DirectoryBlobsOptions): Promise<BlobStore> => {
  await rm(join(directory, incoming), { recursive: true, force: true })
  await mkdir(join(directory, incoming), { recursive: true, mode: 0o700 })
  return new DirectoryBlobs(directory)
}

class DirectoryBlobs implements BlobStore {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async put(session: string, upload: BlobUpload) {
    const { blob, content } = upload
    const target = this.#path(session, blob)
    const part = join(this.#directory, incoming, randomUUID())
    try {
      const size = await receive(upload, part)
      await mkdir(join(this.#directory, session), { recursive: true, mode: 0o700 })
      await rename(part, target)
      await syncDirectory(join(this.#directory, session))
      await syncDirectory(this.#directory)
      return { size }
    } catch (error) {
      content.destroy()
      await rm(part, { force: true })
      throw isFull(error) ? storageFull() : error
    }
  }

  async get(session: string, blob: string) {
    const file = await open(this.#path(session, blob)).catch(missing)
    if (file === undefined) return undefined
    try {
      const { size } = await file.stat()
      return { size, content: file.createReadStream() }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async copy(from: string, blob: string, to: string) {
    const [source, target] = [this.#path(from, blob), this.#path(to, blob)]
    try {
      await mkdir(join(this.#directory, to), { recursive: true, mode: 0o700 })
      await link(source, target)
      await syncDirectory(join(this.#directory, to))
      await syncDirectory(this.#directory)
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return true
      if (codeOf(error) === 'ENOENT') return false
      throw isFull(error) ? storageFull() : error
    }
  }

  async remove(session: string, blob: string) {
    await rm(this.#path(session, blob), { force: true })
  }

  async removeAll(session: string) {
    await rm(this.#session(session), { recursive: true, force: true })
  }

  async *scopes() {
    for await (const { name } of await opendir(this.#directory)) if (isName(name)) yield name
  }

  #session(session: string): string {
    if (!isName(session)) throw new BerthError('invalid_input', `${session} can't be a session's id.`)
    return join(this.#directory, session)
  }

  #path(session: string, blob: string): string {
    if (!/^[0-9a-f]{64}$/.test(blob))
      throw new BerthError('invalid_input', `${blob} is not a SHA-256 in hex, the name of a blob.`)
    return join(this.#session(session), blob)
  }
}

/** Names that stay in the directory. */
const isName = (name: string) => /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/.test(name)

/** Writes the content to `part`, durable and checked; its size. */
const receive = async ({ content, blob, maxBytes }: BlobUpload, part: string): Promise<number> => {
  const hash = createHash('sha256')
  let size = 0
  const check = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length
      hash.update(chunk)
      done(size > maxBytes ? tooLarge(maxBytes) : null, chunk)
    },
  })
  await pipeline(content, check, createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }))
  const found = hash.digest('hex')
  if (found === blob) return size
  throw new BerthError('invalid_input', `The content's SHA-256 is ${found}, not ${blob}. Send it again.`)
}

const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

const isFull = (error: unknown) => codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'

const missing = (error: unknown): undefined => {
  if (codeOf(error) !== 'ENOENT') throw error
}

const tooLarge = (maxBytes: number) =>
  new BerthError('too_large', `The content is larger than the ${maxBytes} bytes that a blob may have.`)

const storageFull = () =>
  new BerthError(
    'storage_full',
    'The disk is full, so the blob was not stored. Free some space, then repeat.',
  )
