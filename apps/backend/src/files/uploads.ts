import { BerthError, limits, type Transfer } from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import type { Store } from '../store/port.ts'
import type { UploadRow } from '../store/upload-store.ts'
import { cut, storeParts } from './parts.ts'

export interface UploadsOptions {
  store: Pick<Store, 'upload' | 'extendUpload' | 'removeUpload'>
  blobs: BlobStore
}

/** Files that arrive in pieces. Whatever an upload's offset counts is stored for good, through every restart. */
export class Uploads {
  readonly #options: UploadsOptions
  readonly #writing = new Set<string>()

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  /** Rejects with `upload_not_found`, also for one of another session. */
  async find(session: string, id: string): Promise<UploadRow> {
    const row = await this.#options.store.upload(id)
    if (row?.session === session) return row
    throw new BerthError(
      'upload_not_found',
      `There is no upload ${id} in this session: it was finished or given up, or is older than ${limits.uploadHours} hours.`,
    )
  }

  /**
   * Stores more bytes from `from` on, part after part. What was stored when the sender breaks off stays. Rejects with
   * `upload_mismatch` when the upload stands elsewhere, or somebody else writes to it now.
   */
  async append(
    row: UploadRow,
    { from, content }: { from: number; content: AsyncIterable<Buffer> },
  ): Promise<UploadRow> {
    const { upload, offset } = row
    if (from !== offset)
      throw new BerthError(
        'upload_mismatch',
        `The upload stands at ${offset}, not ${from}. Go on from there.`,
      )
    if (this.#writing.has(upload))
      throw new BerthError('upload_mismatch', 'Another request sends bytes of this upload right now.')
    this.#writing.add(upload)
    try {
      return await this.#store(row, content)
    } finally {
      this.#writing.delete(upload)
    }
  }

  /** The whole of it, for an operation; rejects with `upload_mismatch` while bytes are missing. */
  whole({ upload, size, offset, parts, sha256 }: UploadRow): Transfer {
    if (offset === size) return { of: upload, size, parts, sha256 }
    throw new BerthError(
      'upload_mismatch',
      `The upload has ${offset} of its ${size} bytes. Send the rest first.`,
    )
  }

  async remove({ upload }: UploadRow): Promise<void> {
    await this.#options.store.removeUpload(upload)
    await this.#options.blobs.removeAll(upload)
  }

  async #store(row: UploadRow, content: AsyncIterable<Buffer>): Promise<UploadRow> {
    const { store, blobs } = this.#options
    const { upload, size } = row
    // A part that is not full is stored anew with what follows, so that their number stays bounded.
    const short = row.offset % limits.transferPart
    const last = short === 0 ? undefined : row.parts.at(-1)
    let { offset } = row
    let parts = last === undefined ? row.parts : row.parts.slice(0, -1)
    let end = offset - short
    const bytes = joined(last === undefined ? undefined : this.#read(upload, last), content, size - offset)
    for await (const part of storeParts(blobs, upload, bytes)) {
      end += part.size
      if (end <= offset) continue
      parts = [...parts, part.blob]
      await store.extendUpload(upload, { from: offset, to: end, parts })
      offset = end
    }
    if (last !== undefined && offset > row.offset && !parts.includes(last)) await blobs.remove(upload, last)
    return { ...row, offset, parts }
  }

  async *#read(upload: string, blob: string): AsyncGenerator<Buffer> {
    const found = await this.#options.blobs.get(upload, blob)
    if (found === undefined)
      throw new BerthError('upload_not_found', 'A part of the upload is gone. Begin it anew.')
    yield* cut(found.content, { start: 0, end: found.size })
  }
}

/** One stream after another; of the second at most so many bytes. */
async function* joined(
  first: AsyncIterable<Buffer> | undefined,
  second: AsyncIterable<Buffer>,
  most: number,
): AsyncGenerator<Buffer> {
  if (first !== undefined) yield* first
  let room = most
  for await (const chunk of second) {
    room -= chunk.length
    if (room < 0) throw new BerthError('too_large', 'These are more bytes than the upload was said to have.')
    yield chunk
  }
}
