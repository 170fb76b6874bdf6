import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { BerthError, limits, type Transfer } from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'

/** A range of bytes, both ends included. */
export interface ByteRange {
  start: number
  end: number
}

export interface StoredPart {
  blob: string
  size: number
}

/**
 * Cuts a stream into parts and stores one after the other under `scope`; gives each as soon as it is stored for good. Holds
 * one part. When the stream breaks off, what came of the last part is stored too, and then the error is thrown.
 */
export async function* storeParts(
  blobs: BlobStore,
  scope: string,
  content: AsyncIterable<Buffer>,
): AsyncGenerator<StoredPart> {
  let held: Buffer[] = []
  let length = 0
  const store = async (): Promise<StoredPart> => {
    const bytes = Buffer.concat(held)
    held = []
    length = 0
    const blob = createHash('sha256').update(bytes).digest('hex')
    await blobs.put(scope, { blob, content: Readable.from([bytes]), maxBytes: limits.transferPart })
    return { blob, size: bytes.length }
  }
  let broken: { error: unknown } | undefined
  const chunks = content[Symbol.asyncIterator]()
  const next = async () => {
    try {
      return await chunks.next()
    } catch (error) {
      broken = { error }
      return { done: true as const, value: undefined }
    }
  }
  for (let item = await next(); item.done !== true; item = await next()) {
    for (let rest = item.value; rest.length > 0; ) {
      const piece = rest.subarray(0, limits.transferPart - length)
      rest = rest.subarray(piece.length)
      held.push(piece)
      length += piece.length
      if (length === limits.transferPart) yield await store()
    }
  }
  if (length > 0) yield await store()
  if (broken !== undefined) throw broken.error
}

/** Stores a stream whole, to be brought into a workspace by the operation. */
export const storeWhole = async (
  blobs: BlobStore,
  operation: string,
  content: AsyncIterable<Buffer>,
): Promise<Transfer> => {
  const hash = createHash('sha256')
  const watched = async function* () {
    for await (const chunk of content) {
      hash.update(chunk)
      yield chunk
    }
  }
  const parts: string[] = []
  let size = 0
  for await (const part of storeParts(blobs, operation, watched())) {
    parts.push(part.blob)
    size += part.size
  }
  return { of: operation, size, parts, sha256: hash.digest('hex') }
}

/** The bytes of a transfer, or a range of them; parts outside of it are not read. */
export const readParts = (blobs: BlobStore, { of, parts, size }: Transfer, range?: ByteRange): Readable => {
  const { start, end } = range ?? { start: 0, end: size - 1 }
  return Readable.from(chunks(), { objectMode: false })

  async function* chunks() {
    for (const [index, blob] of parts.entries()) {
      const first = index * limits.transferPart
      if (first + limits.transferPart <= start || first > end) continue
      const found = await blobs.get(of, blob)
      if (found === undefined)
        throw new BerthError('blob_not_found', 'A part of the content is gone. Ask for it again.')
      yield* cut(found.content, { start: start - first, end: end - first })
    }
  }
}

/** A range of a stream's bytes; what comes after it is not waited for. */
export async function* cut(content: Readable, { start, end }: ByteRange): AsyncGenerator<Buffer> {
  let at = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    const from = Math.max(0, start - at)
    const to = Math.min(chunk.length, end + 1 - at)
    if (from < to) yield chunk.subarray(from, to)
    at += chunk.length
    if (at > end) return
  }
}
