import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, opendir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BerthError } from '@berth/contract'
import type { BlobStore, BlobUpload } from './port.ts'

const isSession = (name: string) => /^ses_[0-9a-z]{26}$/.test(name)
const isBlob = (name: string) => /^[0-9a-f]{64}$/.test(name)

/** Keeps blobs as files, `<directory>/<session>/<blob>`. A crash leaves at most a draft, which no reader sees. */
export const createDirectoryBlobs = async ({ directory }: { directory: string }): Promise<BlobStore> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const folder = (session: string) => {
    if (!isSession(session)) throw new BerthError('invalid_input', `${session} is not a session id.`)
    return join(directory, session)
  }
  const path = (session: string, blob: string) => {
    if (!isBlob(blob)) throw new BerthError('invalid_input', `${blob} is not the name of a blob.`)
    return join(folder(session), blob)
  }

  return {
    put: async (session, upload) => {
      const file = path(session, upload.blob)
      await mkdir(folder(session), { recursive: true, mode: 0o700 })
      const draft = join(folder(session), `draft-${randomUUID()}`)
      try {
        const size = await write(draft, upload)
        await rename(draft, file)
        await syncDirectory(folder(session))
        return { size }
      } catch (error) {
        throw explained(error)
      } finally {
        await rm(draft, { force: true })
      }
    },
    get: async (session, blob) => {
      const file = path(session, blob)
      const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        return undefined
      })
      if (handle === undefined) return undefined
      const { size } = await handle.stat()
      return { size, content: handle.createReadStream() }
    },
    removeAll: async (session) => {
      await rm(folder(session), { recursive: true, force: true })
    },
    sessions: async function* () {
      for await (const entry of await opendir(directory)) if (isSession(entry.name)) yield entry.name
    },
  }
}

const write = async (file: string, { content, blob, maxBytes }: BlobUpload): Promise<number> => {
  const hash = createHash('sha256')
  let size = 0
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      hash.update(chunk)
      if (size > maxBytes) done(new BerthError('too_large', `The blob is larger than ${maxBytes} bytes.`))
      else done(null, chunk)
    },
  })
  const handle = await open(file, 'wx', 0o600)
  try {
    await pipeline(content, check, handle.createWriteStream({ flush: true }))
  } finally {
    await handle.close().catch(() => undefined)
  }
  if (hash.digest('hex') !== blob)
    throw new BerthError('invalid_input', 'The content does not match its name, the SHA-256 of the bytes.')
  return size
}

/** Makes the new name durable, not only the bytes. */
const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const explained = (error: unknown): unknown =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    ? new BerthError('storage_full', 'The disk is full. Make room, then try again.')
    : error
