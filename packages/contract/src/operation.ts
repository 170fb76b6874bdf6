import { z } from 'zod'
import { limits } from './limits.ts'
import { sha256, transfer } from './transfer.ts'

const count = z.number().int().nonnegative()

/** A path below the workspace, as the API takes it: relative, without `..`, and with no empty part. Empty: the workspace. */
export const workspacePath = z
  .string()
  .max(limits.path)
  .refine((path) => !path.includes('\0'), 'must not contain NUL')
  .refine((path) => !path.startsWith('/'), 'expected a path relative to the workspace')
  .refine(
    (path) => path === '' || !path.split('/').some((part) => part === '' || part === '.' || part === '..'),
    'no part may be empty, . or ..',
  )

/** One entry of a directory. */
export const fileEntry = z.object({
  name: z.string().max(limits.path),
  kind: z.enum(['file', 'directory', 'link', 'other']),
  size: count,
  /** Unix permissions, such as 493 (0755). */
  mode: count,
  modifiedAt: z.iso.datetime().optional(),
  /** Where a link points. */
  target: z.string().max(limits.path).optional(),
  /** The name is not valid UTF-8: it is shown with replacement characters, and can't be asked for. */
  garbled: z.literal(true).optional(),
})

export type FileEntry = z.infer<typeof fileEntry>

/** What a person asks the runner of a live session to do with its workspace. Bytes travel beside it, in parts. */
export const operationRequest = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('list'),
    path: workspacePath,
    after: z.string().max(limits.path).optional(),
    /** All files below, by their path; directories themselves are left out. */
    recursive: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('read'), path: workspacePath }),
  z.object({
    kind: z.literal('write'),
    path: workspacePath,
    content: transfer,
    /** Missing: as the file is that is replaced. */
    executable: z.boolean().optional(),
    /** SHA-256 of the content that is replaced; `null`: nothing may be there. Missing: whatever is there. */
    expected: sha256.nullable().optional(),
  }),
  z.object({
    kind: z.literal('delete'),
    path: workspacePath,
    /** A directory with all that is in it. */
    recursive: z.boolean().default(false),
    expected: sha256.optional(),
  }),
  z.object({ kind: z.literal('archive'), path: workspacePath }),
  /** Asks for a checkpoint now. */
  z.object({ kind: z.literal('checkpoint') }),
  /** Branches and state of the repositories. */
  z.object({ kind: z.literal('git-state') }),
])

export type OperationRequest = z.infer<typeof operationRequest>

/** Branches and state of one repository, as git in the sandbox tells. */
export const gitState = z.object({
  name: z.string().max(100),
  /** The branch that is checked out; missing: none is. */
  head: z.string().max(limits.branch).optional(),
  commit: z.string().max(64).optional(),
  /** Commits of the session branch that the branch it was taken from lacks, and the other way round. */
  ahead: count,
  behind: count,
  /** Files that differ from the last commit, untracked ones too. */
  changed: count,
  branches: z
    .array(z.object({ name: z.string().max(limits.branch), commit: z.string().max(64), remote: z.boolean() }))
    .max(limits.listedBranches),
  /** Branches that are not listed. */
  moreBranches: count.optional(),
  /** Commits on any of its branches that the origin did not have when it was cloned. */
  unpushed: count.optional(),
  /** Files that stand as LFS pointers. */
  lfsPointers: count.optional(),
})

export type GitState = z.infer<typeof gitState>

/** What came of it. */
export const operationResult = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('list'),
    /** Sorted by name. */
    entries: z.array(fileEntry).max(limits.directoryPage),
    more: z.boolean(),
  }),
  z.object({ kind: z.literal('read'), content: transfer, executable: z.boolean() }),
  z.object({ kind: z.literal('write'), size: count, created: z.boolean(), sha256 }),
  z.object({ kind: z.literal('delete') }),
  z.object({ kind: z.literal('archive'), content: transfer }),
  z.object({ kind: z.literal('checkpoint'), number: z.number().int().positive() }),
  z.object({ kind: z.literal('git-state'), repositories: z.array(gitState).max(limits.repositories) }),
])

export type OperationResult = z.infer<typeof operationResult>

/** Why nothing came of it. */
export const operationError = z.object({
  code: z.enum(['not-found', 'not-a-file', 'not-a-directory', 'too-large', 'changed', 'refused', 'failed']),
  message: z.string().max(limits.message),
})

export type OperationError = z.infer<typeof operationError>
