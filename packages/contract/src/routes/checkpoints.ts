import { z } from 'zod'
import { sessionId, turnId } from '../ids.ts'
import { sessionSummary } from '../session/summary.ts'
import { route } from './route.ts'
import { page, pageQuery, projectName } from './schemas.ts'

const bySession = z.object({ project: projectName, session: sessionId })
const one = '/api/projects/:project/sessions/:session' as const
const count = z.number().int().nonnegative()

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
  restoreWorkspace: route({
    method: 'POST',
    path: `${one}/restore-workspace`,
    role: 'editor',
    tag: 'Checkpoints',
    summary:
      'Make the files what they were after a turn; the conversation goes on, and a stopped session wakes',
    params: bySession,
    body: z.strictObject({ turn: turnId }),
    response: { status: 202, body: sessionSummary },
    errors: ['no_checkpoint', 'turn_running', 'session_deleted', 'session_failed'],
  }),
} as const
