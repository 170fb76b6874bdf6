import type { Readable } from 'node:stream'
import type { FileEntry } from '@berth/contract'

/** Which state of a session's files: the last checkpoint, or that of a turn. */
export interface FilesQuery {
  /** Below the workspace, as `workspacePath` of the contract takes it. Empty: the workspace. */
  path: string
  turn?: string | undefined
}

export interface ListedFiles {
  entries: FileEntry[]
  /** There are more after the last entry. */
  more: boolean
  /** The state that was read: the number of its checkpoint, and the turn after which it was taken. */
  checkpoint: number
  turn?: string | undefined
}

export interface ReadFile {
  size: number
  executable: boolean
  /** The caller reads it to its end or destroys it. */
  content: Readable
  checkpoint: number
  turn?: string | undefined
}

/**
 * The files of a session as its checkpoints have them: of a stopped one, and of an earlier turn. Rejects with
 * `session_not_found`, `no_checkpoint`, `checkpoint_unreadable`, `file_not_found`, `not_a_file`, `not_a_directory` and
 * `too_large`. Who may read the session is the caller's to check.
 */
export interface CheckpointFiles {
  /** Entries of a directory by name (by bytes), after the name `after`, at most `limit` (default and most: 500). */
  list(
    session: string,
    query: FilesQuery & { after?: string | undefined; limit?: number },
  ): Promise<ListedFiles>
  /** A file of at most `limits.file` bytes. A link is not followed: `not_a_file`. */
  read(session: string, query: FilesQuery): Promise<ReadFile>
  /** A directory, or one file, as tar.gz; streamed. Names in it begin at `path`. */
  archive(session: string, query: FilesQuery): Promise<{ content: Readable; checkpoint: number }>
}
