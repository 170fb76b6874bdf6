/** A file that arrives in pieces. Its parts lie in the blob store, under its id. */
export interface UploadRow {
  upload: string
  session: string
  path: string
  /** Bytes in all. */
  size: number
  sha256?: string
  executable?: boolean
  /** The SHA-256 of what may be replaced; `null`: nothing may be there. */
  expected?: string | null
  /** Bytes that are stored. */
  offset: number
  /** The SHA-256 of each stored part, in order; only the last may be shorter than `limits.transferPart`. */
  parts: string[]
  /** Milliseconds since 1970. */
  createdAt: number
}

/** Uploads that are not finished; part of the store's port. */
export interface UploadStore {
  /**
   * Rejects with `too_many_uploads` when the session or its project has too many of them, or too many bytes of them, and
   * with `session_not_found`.
   */
  createUpload(upload: Omit<UploadRow, 'offset' | 'parts'>): Promise<void>
  upload(upload: string): Promise<UploadRow | undefined>
  /** Oldest first. */
  uploads(session: string): Promise<UploadRow[]>
  /** Rejects with `upload_mismatch` unless it stands at `from`, so that one of two that write at once wins. */
  extendUpload(upload: string, step: { from: number; to: number; parts: string[] }): Promise<void>
  /** Idempotent. */
  removeUpload(upload: string): Promise<void>
}
