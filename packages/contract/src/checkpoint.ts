import { z } from 'zod'
import { blobRef } from './content.ts'
import { sessionId, turnId } from './ids.ts'
import { limits } from './limits.ts'

const count = z.number().int().nonnegative()
const commit = z.string().regex(/^[0-9a-f]{40,64}$/)

/** Why a checkpoint was taken. */
export const checkpointReason = z.enum(['turn', 'stop', 'signal', 'interval', 'request'])

/** Bytes in order, in pieces of at most `limits.checkpointPart`. */
export const blobParts = z.array(blobRef).max(4096)
const parts = blobParts

/** A base pack by its commit, and by the commits at which its history ends, as 16 digits of their hash. */
export const baseKey = z.string().regex(/^[0-9a-f]{40,64}(-[0-9a-f]{16})?$/)

/** One tree of files of a workspace: a repository, one that the agent made inside it, or the workspace itself. */
const checkpointTree = z.object({
  /** Directory below the workspace; empty: the workspace itself. */
  path: z.string().max(limits.path),
  /** Of a repository of the session: its location, and the branch and commit that it was taken from. */
  url: z.string().max(limits.url).optional(),
  branch: z.string().max(limits.branch).optional(),
  base: commit.optional(),
  /** The files, as a commit. */
  shadow: commit,
  /** What git looked like: branches and tags with their commits, and where HEAD was. Missing: no repository of its own. */
  refs: z.record(z.string().max(1000), commit).optional(),
  /** A ref's name, or a commit. */
  head: z.string().max(1000).optional(),
  /** Commits at which the history ends, when it is not whole. */
  shallow: z.array(commit).max(100_000).optional(),
  /** A pack of everything that the base reaches, kept once for a project and commit: its parts are blobs of that base. */
  basePack: z
    .object({ key: baseKey, commit, parts, shallow: z.array(commit).max(100_000).optional() })
    .optional(),
  /** Packs of the rest, each on top of those before it. */
  packs: z.array(z.object({ number: count, parts })).max(64),
  /** Empty directories, which git does not keep. */
  emptyDirectories: z.array(z.string().max(limits.path)).max(10_000),
  files: count,
  bytes: count,
})

export type CheckpointTree = z.infer<typeof checkpointTree>

/**
 * Everything that a session goes on from on an empty disk: a blob of its own, so that the event that names it is small.
 * Written by the runner; whoever restores it trusts none of its contents further than git checks them.
 */
export const checkpointManifest = z.object({
  version: z.literal(1),
  /** Whose runner wrote it: in the checkpoint that a fork starts from, the session that it was forked from. */
  session: sessionId,
  /** Counts the checkpoints of a session, also over forks. */
  number: z.number().int().positive(),
  turn: turnId.optional(),
  at: z.iso.datetime(),
  trees: z.array(checkpointTree).max(64),
  /** The conversation with Claude Code, and the files that belong to it, by path below the agent's `.claude/projects`. */
  conversation: z
    .object({
      id: z.string().max(100),
      files: z.array(z.object({ path: z.string().max(limits.path), size: count, parts })).max(2000),
    })
    .optional(),
})

export type CheckpointManifest = z.infer<typeof checkpointManifest>

/** A checkpoint as events and summaries name it. */
export const checkpointRef = z.object({
  number: z.number().int().positive(),
  /** The turn after which it was taken; missing: before the first, or in the middle of one. */
  turn: turnId.optional(),
  manifest: blobRef,
  /** Bytes that it added to the blob store. */
  size: count,
  files: count,
})

export type CheckpointRef = z.infer<typeof checkpointRef>
