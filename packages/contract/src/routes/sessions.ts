import { z } from 'zod'
import { changedFile, repositorySnapshot } from '../changes.ts'
import { promptContent } from '../content.ts'
import { wireEvent } from '../events/event.ts'
import { labels, title } from '../events/session.ts'
import { promptId, requestId, sessionId, turnId } from '../ids.ts'
import { phase } from '../lifecycle.ts'
import { limits } from '../limits.ts'
import { directoryName, repositories } from '../repository.ts'
import { answers, permissionDecision } from '../requests.ts'
import { visibility } from '../session/sharing.ts'
import { sessionSummary } from '../session/summary.ts'
import { sessionSettings } from '../settings/settings.ts'
import { route } from './route.ts'
import { numberInQuery, page, pageQuery, projectName } from './schemas.ts'

const byProject = z.object({ project: projectName })
const bySession = byProject.extend({ session: sessionId })
const changed = { status: 200, body: sessionSummary } as const
const base = '/api/projects/:project/sessions'
const one = `${base}/:session` as const

/** A prompt: text for short, or content blocks. */
export const promptBody = z.strictObject({
  content: z.union([z.string().trim().min(1).max(limits.promptText), promptContent]),
})

export const createSessionBody = z.strictObject({
  /** The first prompt; without it the session starts and waits. */
  prompt: promptBody.shape.content.optional(),
  /** Default: made from the prompt. */
  title: title.optional(),
  labels: labels.default({}),
  repositories: repositories.default([]),
  settings: sessionSettings.default({}),
  /** Default: the project's setting `sessionVisibility`. */
  visibility: visibility.optional(),
})

export type CreateSession = z.input<typeof createSessionBody>

const oneOrMany = <T extends z.ZodType>(schema: T) =>
  z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(schema).max(20),
  )

export const listSessionsQuery = pageQuery.extend({
  phase: oneOrMany(phase).optional(),
  owner: z.string().max(200).optional(),
  /** `key=value`, or `key` for any value; several: all of them. */
  label: oneOrMany(z.string().max(limits.labelKey + limits.labelValue + 1)).optional(),
  /** In the title, without regard to case. */
  text: z.string().max(200).optional(),
  /** Deleted sessions that can still be restored, instead of the others. */
  deleted: z.enum(['true', 'false']).default('false'),
})

/** What a turn, or all turns together, changed in a session's repositories. */
export const sessionChanges = z.object({
  turn: turnId.optional(),
  /** The event of the snapshot. */
  seq: z.number().int().positive().optional(),
  repositories: z.array(repositorySnapshot),
})

export type SessionChanges = z.infer<typeof sessionChanges>

const turnQuery = z.object({
  turn: turnId.optional().describe('The state after this turn. Default: the last one'),
})

export const sessionRoutes = {
  listSessions: route({
    method: 'GET',
    path: base,
    role: 'viewer',
    tag: 'Sessions',
    summary: 'List sessions, newest first',
    params: byProject,
    query: listSessionsQuery,
    response: {
      status: 200,
      body: page(sessionSummary).extend({
        /** The project's revision that this page is at least as new as: where to go on with its changes. */
        revision: z.number().int().nonnegative(),
      }),
    },
    errors: ['invalid_cursor'],
  }),
  createSession: route({
    method: 'POST',
    path: base,
    role: 'editor',
    expensive: true,
    tag: 'Sessions',
    summary: 'Create a session, with or without a first prompt',
    params: byProject,
    body: createSessionBody,
    bodyLimit: limits.promptBody,
    response: { status: 201, body: sessionSummary },
    errors: ['repository_not_allowed', 'model_not_allowed', 'private_not_allowed'],
  }),
  getSession: route({
    method: 'GET',
    path: one,
    role: 'viewer',
    tag: 'Sessions',
    summary: 'Get a session',
    params: bySession,
    response: changed,
  }),
  updateSession: route({
    method: 'PATCH',
    path: one,
    role: 'editor',
    tag: 'Sessions',
    summary: 'Rename or label a session; labels are replaced as a whole',
    params: bySession,
    body: z.strictObject({ title: title.optional(), labels: labels.optional() }),
    response: changed,
    errors: ['session_deleted'],
    ifMatch: true,
  }),
  deleteSession: route({
    method: 'DELETE',
    path: one,
    whileArchived: true,
    role: 'editor',
    owner: true,
    tag: 'Sessions',
    summary: 'Delete a session; it can be restored until it is purged',
    params: bySession,
    response: changed,
    errors: ['session_deleted'],
  }),
  restoreSession: route({
    method: 'POST',
    path: `${one}/restore`,
    role: 'editor',
    owner: true,
    tag: 'Sessions',
    summary: 'Take a deletion back; the session comes back stopped',
    params: bySession,
    response: changed,
    errors: ['session_not_deleted'],
  }),
  createPrompt: route({
    method: 'POST',
    path: `${one}/prompts`,
    role: 'editor',
    tag: 'Conversation',
    summary: 'Send a prompt; it waits while the agent is busy, and wakes a stopped session',
    params: bySession,
    body: promptBody,
    bodyLimit: limits.promptBody,
    response: {
      status: 202,
      body: z.object({
        prompt: promptId,
        seq: z.number().int().positive(),
        /** Prompts before it; 0 when it started at once or is next. */
        position: z.number().int().nonnegative(),
        session: sessionSummary,
      }),
    },
    errors: ['queue_full', 'session_deleted', 'session_failed'],
  }),
  withdrawPrompt: route({
    method: 'DELETE',
    path: `${one}/prompts/:prompt`,
    role: 'editor',
    tag: 'Conversation',
    summary: 'Withdraw a prompt that still waits',
    params: bySession.extend({ prompt: promptId }),
    response: changed,
    errors: ['prompt_not_found', 'prompt_taken', 'session_deleted'],
  }),
  interruptSession: route({
    method: 'POST',
    path: `${one}/interrupt`,
    role: 'editor',
    tag: 'Conversation',
    summary: 'Interrupt the running turn; what was said so far stays',
    params: bySession,
    response: { status: 202, body: sessionSummary },
    errors: ['no_turn', 'session_deleted'],
  }),
  decidePermission: route({
    method: 'POST',
    path: `${one}/permissions/:request`,
    role: 'editor',
    tag: 'Conversation',
    summary: 'Allow or deny what the agent asks for',
    params: bySession.extend({ request: requestId }),
    body: permissionDecision,
    response: changed,
    errors: ['request_not_found', 'request_closed', 'session_deleted'],
  }),
  answerQuestion: route({
    method: 'POST',
    path: `${one}/questions/:request`,
    role: 'editor',
    tag: 'Conversation',
    summary: 'Answer the agent’s questions',
    params: bySession.extend({ request: requestId }),
    body: z.strictObject({ answers }),
    response: changed,
    errors: ['request_not_found', 'request_closed', 'session_deleted'],
  }),
  stopSession: route({
    method: 'POST',
    path: `${one}/stop`,
    whileArchived: true,
    role: 'editor',
    tag: 'Sessions',
    summary: 'Stop a session: saves, then ends its runner',
    params: bySession,
    response: { status: 202, body: sessionSummary },
    errors: ['session_deleted'],
  }),
  resumeSession: route({
    method: 'POST',
    path: `${one}/resume`,
    role: 'editor',
    tag: 'Sessions',
    summary: 'Start a stopped or failed session again, with its conversation and files',
    params: bySession,
    response: { status: 202, body: sessionSummary },
    errors: ['session_deleted', 'limit_reached', 'budget_spent'],
  }),
  listEvents: route({
    method: 'GET',
    path: `${one}/events`,
    role: 'viewer',
    tag: 'Events',
    summary: 'Events after a cursor: a page, or a stream (SSE) that goes on; its ids are the cursors',
    params: bySession,
    query: z.object({
      after: numberInQuery(0, Number.MAX_SAFE_INTEGER).optional().describe('Default: 0, from the beginning'),
      limit: numberInQuery(1, limits.eventsPage).default(200),
    }),
    response: {
      status: 200,
      kind: 'sse',
      body: z.object({
        items: z.array(wireEvent),
        /** Where to go on. */
        cursor: z.number().int().nonnegative(),
        /** More events exist after the cursor. */
        more: z.boolean(),
      }),
    },
  }),
  getBlob: route({
    method: 'GET',
    path: `${one}/blobs/:blob`,
    role: 'viewer',
    tag: 'Events',
    summary: 'Get bytes that an event refers to',
    params: bySession.extend({ blob: z.string().regex(/^[0-9a-f]{64}$/) }),
    response: { status: 200, kind: 'bytes' },
    errors: ['blob_not_found'],
  }),
  getChanges: route({
    method: 'GET',
    path: `${one}/changes`,
    role: 'viewer',
    tag: 'Changes',
    summary: 'What the session changed, per repository: files, counts and diffs, also when it is stopped',
    params: bySession,
    query: turnQuery,
    response: { status: 200, body: sessionChanges },
    errors: ['changes_not_found'],
  }),
  getPatch: route({
    method: 'GET',
    path: `${one}/patch`,
    role: 'viewer',
    tag: 'Changes',
    summary: 'The whole diff as text, as `git apply` takes it',
    params: bySession,
    query: turnQuery.extend({
      repository: directoryName.optional().describe('Default: the only one; needed when there are several'),
      against: z.enum(['base', 'turn']).default('base').describe('Against the base, or the turn before'),
    }),
    response: { status: 200, kind: 'text' },
    errors: ['changes_not_found'],
  }),
  getChangedFile: route({
    method: 'GET',
    path: `${one}/changes/file`,
    role: 'viewer',
    tag: 'Changes',
    summary: 'The content of a changed file after a turn',
    params: bySession,
    query: turnQuery.extend({ repository: directoryName, path: changedFile.shape.path }),
    response: { status: 200, kind: 'bytes' },
    errors: ['changes_not_found', 'blob_not_found'],
  }),
} as const
