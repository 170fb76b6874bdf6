import type { Readable } from 'node:stream'

/** A blob on its way in. */
export interface BlobUpload {
  /** SHA-256 of the content, in hex. */
  blob: string
  content: Readable
  maxBytes: number
}

/**
 * Where bytes lie that are too large for an event: by session and the SHA-256 of their content. What travels into or out
 * of a workspace lies under the id of its operation instead of the session's, and goes soon. Puts are idempotent and
 * atomic: a blob is there as a whole or not at all, and its content is checked against its name (`invalid_input`). Rejects
 * with `too_large` and `storage_full`. Adapters pass `blobConformance`.
 */
export interface BlobStore {
  put(session: string, upload: BlobUpload): Promise<{ size: number }>
  /** Undefined: no such blob. The caller reads or destroys the stream. */
  get(session: string, blob: string): Promise<{ size: number; content: Readable } | undefined>
  /** Puts a blob of one session into another too, without reading it where that is possible. False: no such blob. */
  copy(from: string, blob: string, to: string): Promise<boolean>
  /** Removes one blob; idempotent. */
  remove(session: string, blob: string): Promise<void>
  /** Removes everything of a session; idempotent. */
  removeAll(session: string): Promise<void>
  /** Sessions, operations and the like that have blobs, for the sweep of orphans. */
  scopes(): AsyncIterable<string>
}
