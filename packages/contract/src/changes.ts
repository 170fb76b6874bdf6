import { z } from 'zod'
import { blobRef, longText } from './content.ts'
import { directoryName } from './repository.ts'

const commit = z.string().regex(/^[0-9a-f]{40,64}$/)
const count = z.number().int().nonnegative()

/** How many files and lines differ. */
export const diffStat = z.object({ files: count, insertions: count, deletions: count })
export type DiffStat = z.infer<typeof diffStat>

export const noDiff: DiffStat = { files: 0, insertions: 0, deletions: 0 }

/** A file that differs from the base. */
export const changedFile = z.object({
  path: z.string().max(4096),
  /** The earlier path, when the file was renamed. */
  from: z.string().max(4096).optional(),
  status: z.enum(['added', 'modified', 'deleted', 'renamed', 'type-changed']),
  binary: z.boolean(),
  insertions: count,
  deletions: count,
  /** Mode after the change, as git writes it: 100644, 100755, 120000 (symlink), 160000 (submodule). */
  mode: z.string().regex(/^[0-7]{6}$/),
  /** Content after the change. Missing when deleted, or over the limit. */
  content: blobRef.optional(),
})

export type ChangedFile = z.infer<typeof changedFile>

/** What a repository looks like after a turn, against the base and against the turn before. */
export const repositorySnapshot = z.object({
  name: directoryName,
  /** The commit that the session branch started from; missing when the repository was empty. */
  base: commit.optional(),
  /** The shadow commit: tracked and untracked files as they were at the end of the turn. */
  commit,
  /** Commits that the agent made on the session branch since the base. */
  commits: count,
  total: diffStat,
  turn: diffStat,
  /** The first 2,000 changed files against the base. */
  files: z.array(changedFile).max(2000),
  /** Unified diff against the base. */
  patch: longText,
  /** Unified diff against the turn before. */
  turnPatch: longText,
  /** Something was left out because of a limit; says what. */
  truncated: z.string().max(1000).optional(),
})

export type RepositorySnapshot = z.infer<typeof repositorySnapshot>
