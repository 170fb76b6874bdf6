import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { link, mkdir, open, opendir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BerthError } from '@berth/contract'
import { BlobCheck } from './blob-check.ts'
import { checkBlob, checkScope, isScope } from './names.ts'
import type { BlobStore, BlobUpload } from './port.ts'

export interface DirectoryBlobsOptions {
  /** Where the blobs lie: `<session>/<sha256>`. Made if missing. */
  directory: string
  /** Other backends use it too. Default: it belongs to one process at a time. */
  shared?: boolean
}

/** Uploads under way; what is left of a crash is removed at the start. */
const incoming = '.incoming'

/** Of several backends, nobody waits for the next bytes of an upload for so long. */
const leftMs = 15 * 60_000

/** Blobs as files in a directory. */
export const createDirectoryBlobs = async ({
  directory,
  shared = false,
}: DirectoryBlobsOptions): Promise<BlobStore> => {
  await mkdir(join(directory, incoming), { recursive: true, mode: 0o700 })
  await removeLeft(join(directory, incoming), shared ? leftMs : 0)
  return new DirectoryBlobs(directory)
}

const removeLeft = async (directory: string, ms: number): Promise<void> => {
  for await (const { name } of await opendir(directory)) {
    const file = join(directory, name)
    const found = await stat(file).catch(missing)
    if (found !== undefined && found.mtimeMs <= Date.now() - ms) await rm(file, { force: true })
  }
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
    for await (const { name } of await opendir(this.#directory)) if (isScope(name)) yield name
  }

  #session(session: string): string {
    return join(this.#directory, checkScope(session))
  }

  #path(session: string, blob: string): string {
    return join(this.#session(session), checkBlob(blob))
  }
}

/** Writes the content to `part`, durable and checked; its size. */
const receive = async (upload: BlobUpload, part: string): Promise<number> => {
  const check = new BlobCheck(upload)
  const watch = new Transform({
    transform(chunk: Buffer, _, done) {
      try {
        check.pass(chunk)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
  await pipeline(upload.content, watch, createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }))
  return check.end()
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

const storageFull = () =>
  new BerthError(
    'storage_full',
    'The disk is full, so the blob was not stored. Free some space, then repeat.',
  )
