import { z } from 'zod'
import { promptContent } from '../content.ts'
import { labels, title } from '../events/session.ts'
import { sessionId, turnId } from '../ids.ts'
import { limits } from '../limits.ts'
import { branchName, directoryName } from '../repository.ts'
import { visibility } from '../session/sharing.ts'
import { sessionSummary } from '../session/summary.ts'
import { route } from './route.ts'
import { page, pageQuery, projectName } from './schemas.ts'

const bySession = z.object({ project: projectName, session: sessionId })
const one = '/api/projects/:project/sessions/:session' as const
const count = z.number().int().nonnegative()
const commit = z.string().max(64)

/** Work that the agent has not committed: made a commit on top, or left out. */
const uncommitted = z.enum(['include', 'leave']).default('include')

export const pushBody = z.strictObject({
  /** Default: the only one; needed when there are several. */
  repository: directoryName.optional(),
  /** The branch at the origin. Default: the session branch. */
  branch: branchName.optional(),
  /** Also when it is not a fast-forward: what was there is given up. Never for the branch that the session started from. */
  force: z.boolean().default(false),
  uncommitted,
  /** Of the commit with the uncommitted work. Default: the session's title. */
  message: z.string().trim().min(1).max(limits.message).optional(),
})

export type PushBody = z.input<typeof pushBody>

/** A branch that is at the origin, as it was found there after the push. */
export const pushResult = z.object({
  repository: directoryName,
  url: z.string().max(limits.url),
  branch: branchName,
  commit,
  /** What the branch was before; missing: it was new. */
  previous: commit.optional(),
  /** It was there already. */
  unchanged: z.boolean(),
  forced: z.boolean(),
  /** Uncommitted work became a commit on top. */
  committed: z.boolean(),
  /** The state that was pushed: checkpoint, and the turn after which it was taken. */
  checkpoint: z.number().int().positive(),
  turn: turnId.optional(),
  /** A turn that runs; nothing of it is in the push. */
  running: turnId.optional(),
})

export type PushResult = z.infer<typeof pushResult>

/** A checkpoint as lists show it. */
export const checkpointItem = z.object({
  number: z.number().int().positive(),
  turn: turnId.optional(),
  at: z.iso.datetime(),
  reason: z.string().max(100),
  files: count,
  /** Bytes that it added. */
  size: count,
  /** The event that tells of it. */
  seq: z.number().int().positive(),
})

export type CheckpointItem = z.infer<typeof checkpointItem>

const forkBody = z.strictObject({
  /** The turn after which the new session goes on. Default: the last checkpoint. */
  turn: turnId.optional(),
  /** The project of the new session. Default: the same. */
  project: projectName.optional(),
  /** Default: that of the other session. */
  title: title.optional(),
  labels: labels.default({}),
  /** Default: private when the other session is, else the project's setting `sessionVisibility`. */
  visibility: visibility.optional(),
  /** The first prompt; without it the session starts and waits. */
  prompt: z.union([z.string().trim().min(1).max(limits.promptText), promptContent]).optional(),
})

/** What people do with checkpoints. */
export const checkpointRoutes = {
  listCheckpoints: route({
    method: 'GET',
    path: `${one}/checkpoints`,
    role: 'viewer',
    tag: 'Checkpoints',
    summary: 'The saved states of a session, newest first: what can be pushed, forked, restored and read',
    params: bySession,
    query: pageQuery,
    response: { status: 200, body: page(checkpointItem) },
    errors: ['invalid_cursor'],
  }),
  pushSession: route({
    method: 'POST',
    path: `${one}/push`,
    role: 'editor',
    expensive: true,
    tag: 'Checkpoints',
    summary:
      'Push the last checkpoint to the repository’s origin, and check that it is there; also when stopped',
    params: bySession,
    body: pushBody,
    response: { status: 200, body: pushResult },
    errors: [
      'push_rejected',
      'push_failed',
      'no_checkpoint',
      'checkpoint_unreadable',
      'repository_not_found',
      'repository_not_allowed',
    ],
  }),
  getBundle: route({
    method: 'GET',
    path: `${one}/bundle`,
    role: 'viewer',
    expensive: true,
    tag: 'Checkpoints',
    summary: 'The session branch as a git bundle, for `git fetch` and `git clone`',
    params: bySession,
    query: z.object({
      repository: directoryName.optional().describe('Default: the only one; needed when there are several'),
      history: z
        .enum(['base', 'full'])
        .default('base')
        .describe('What the base lacks, for a clone that has it; or everything'),
      uncommitted: uncommitted.describe('Work that was not committed: a commit on top, or left out'),
    }),
    response: { status: 200, kind: 'bytes' },
    errors: ['no_checkpoint', 'checkpoint_unreadable', 'changes_not_found', 'repository_not_found'],
  }),
  forkSession: route({
    method: 'POST',
    path: `${one}/fork`,
    role: 'viewer',
    expensive: true,
    tag: 'Checkpoints',
    summary: 'Start a session of your own from a turn of this one, with its files, conversation and settings',
    params: bySession,
    body: forkBody,
    bodyLimit: limits.promptBody,
    response: { status: 201, body: sessionSummary },
    errors: ['no_checkpoint', 'checkpoint_unreadable', 'session_deleted'],
  }),
  getHistory: route({
    method: 'GET',
    path: `${one}/history`,
    role: 'viewer',
    tag: 'Events',
    summary: 'What came before a fork: events of the session that it was forked from, as JSON lines',
    params: bySession,
    response: { status: 200, kind: 'bytes' },
    errors: ['blob_not_found'],
  }),
  restoreWorkspace: route({
    method: 'POST',
    path: `${one}/restore-workspace`,
    role: 'editor',
    expensive: true,
    tag: 'Checkpoints',
    summary:
      'Make the files what they were after a turn; the conversation goes on, and a stopped session wakes',
    params: bySession,
    body: z.strictObject({ turn: turnId }),
    response: { status: 202, body: sessionSummary },
    errors: ['no_checkpoint', 'turn_running', 'session_deleted', 'session_failed'],
  }),
} as const
