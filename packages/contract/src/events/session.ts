import { z } from 'zod'
import { actor } from '../actor.ts'
import { budgetName } from '../budget.ts'
import { checkpointRef } from '../checkpoint.ts'
import { blobRef, storedBlock } from '../content.ts'
import { operationId, promptId, requestId, sessionId, turnId } from '../ids.ts'
import { endReason, failReason, holdReason, stopReason } from '../lifecycle.ts'
import { limits } from '../limits.ts'
import { operationError, operationRequest } from '../operation.ts'
import { directoryName, repositories, repository } from '../repository.ts'
import { answers, permissionDecision } from '../requests.ts'
import { agentSecret } from '../secret.ts'
import { sessionLimits } from '../session/limits.ts'
import { shares, visibility } from '../session/sharing.ts'
import { sessionSettings } from '../settings/settings.ts'
import { egressRefused } from './egress.ts'

const message = z.string().max(limits.message)

export const labels = z
  .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/), z.string().max(limits.labelValue))
  .refine((map) => Object.keys(map).length <= limits.labels, `at most ${limits.labels} labels`)

/** A title as it is sent; space around it is cut off. */
export const title = z.string().trim().min(1).max(limits.title)

/** A title as the log holds it. */
export const storedTitle = z.string().min(1).max(limits.title)

/** Where a fork comes from. What it needs of there was copied: the other session may be gone. */
export const forkOrigin = z.object({
  project: z.string(),
  session: sessionId,
  /** The turn after which it was taken. */
  turn: turnId.optional(),
  /** The last event of the other session that belongs to its history. */
  seq: z.number().int().positive(),
  checkpoint: checkpointRef,
  /** The events up to `seq`, without deltas, as JSON lines. */
  history: blobRef,
  /** Claude Code's own id of the conversation in the checkpoint; missing: there was none yet. */
  conversation: z.string().max(100).optional(),
  /** Where the agent worked: a repository's directory, or empty for the workspace. */
  directory: z.union([z.literal(''), directoryName]).optional(),
})

export type ForkOrigin = z.infer<typeof forkOrigin>

/** What people do. */
export const peopleEvents = {
  'session.created': z.object({
    session: sessionId,
    project: z.string(),
    title: storedTitle,
    labels,
    repositories,
    /** What this session sets for itself. */
    settings: sessionSettings,
    /** The model behind the session: a real upstream, or written scenarios. */
    model: z.enum(['live', 'scripted']),
    fork: forkOrigin.optional(),
    /** Missing: the whole project sees it. */
    visibility: visibility.optional(),
  }),
  /** All that the session sets for itself from now on, and the limits that follow. */
  'session.settings_changed': z.object({ settings: sessionSettings, limits: sessionLimits }),
  'session.updated': z.object({ title: storedTitle.optional(), labels: labels.optional() }),
  /** Who sees the session from now on, all of it. */
  'session.shared': z.object({ visibility, shares }),
  'session.stop_requested': z.object({ reason: stopReason }),
  'session.resume_requested': z.object({}),
  'session.deleted': z.object({ purgeAt: z.iso.datetime() }),
  'session.restored': z.object({}),
  'prompt.queued': z.object({
    prompt: promptId,
    content: z.array(storedBlock).min(1).max(limits.promptBlocks),
  }),
  'prompt.withdrawn': z.object({ prompt: promptId }),
  'turn.interrupt_requested': z.object({ turn: turnId }),
  'permission.decided': z.object({ request: requestId, decision: permissionDecision }),
  'question.answered': z.object({ request: requestId, answers }),
  'repository.added': z.object({ repository }),
  'repository.removed': z.object({ name: directoryName }),
  /** A clone that failed is to be tried again. */
  'repository.retried': z.object({ name: directoryName }),
  /** A branch was pushed to the repository's origin, and is there. */
  'repository.pushed': z.object({
    name: directoryName,
    url: z.string().max(limits.url),
    branch: z.string().max(limits.branch),
    commit: z.string().max(64),
    /** What the branch was before; missing: it is new. */
    previous: z.string().max(64).optional(),
    forced: z.boolean(),
    /** The last commit of the agent's in it; missing: there is none. What comes after holds work that was not committed. */
    tip: z.string().max(64).optional(),
    /** The checkpoint that it was made from. */
    checkpoint: z.number().int().positive(),
  }),
  /** The files are to be as they were after a turn; the conversation goes on. */
  'workspace.restore_requested': z.object({ checkpoint: checkpointRef }),
  /** The runner of a live session is to do something with its workspace. */
  'operation.requested': z.object({ operation: operationId, request: operationRequest }),
} as const

/** What the backend does and observes. */
export const backendEvents = {
  /** A runner was asked for. */
  'generation.started': z.object({
    generation: z.number().int().positive(),
    runtime: z.string().max(50),
    /** What counts for the session as long as nobody changes it. */
    limits: sessionLimits.optional(),
    /** Memory in MiB that its agent may use, which counts against its project's quota. */
    memoryMiB: z.number().int().positive().optional(),
    /** CPU in cores that its agent may use, which counts against its project's quota. */
    cpus: z.number().positive().optional(),
  }),
  /** What the runtime goes through before the runner can begin: it finds a place, gets images, starts containers. */
  'generation.step': z.object({
    generation: z.number().int().positive(),
    step: z.enum(['schedule', 'image', 'containers']),
    state: z.enum(['started', 'done', 'failed']),
    ms: z.number().int().nonnegative().optional(),
    message: message.optional(),
  }),
  /** There is no room for one more runner: the session waits for its turn. */
  'session.waits': z.object({
    /** What there is too little of. */
    reason: z.enum(['sessions', 'project-sessions', 'project-memory', 'project-cpus', 'memory']),
    message,
    /** Its place in the queue when it began to wait, from 1. */
    position: z.number().int().positive(),
  }),
  /** Something that people should know about a session, from the backend. */
  'session.notice': z.object({
    level: z.enum(['info', 'warning', 'error']),
    message,
    /** What it warns of, when that is told only once. */
    about: z.enum(['deadline', 'no-price']).optional(),
  }),
  /** The agent of the next generation can read these secrets of the project; told when it changes. None: it can't any more. */
  'secrets.shown': z.object({ secrets: z.array(agentSecret).max(limits.secrets) }),
  /** The project's settings changed, and with them the limits of a session that lives. */
  'session.limits_changed': z.object({ limits: sessionLimits }),
  /** So much of a budget is spent that people should know; `spent`: nothing is left. */
  'budget.reached': budgetName.extend({
    used: z.number().nonnegative(),
    limit: z.number().positive(),
    spent: z.boolean(),
  }),
  /** The turn stops in the middle and goes on when the session is resumed. */
  'turn.paused': z.object({ turn: turnId, reason: holdReason, message }),
  /** An operation that no runner can do any more. */
  'operation.cancelled': z.object({ operation: operationId, error: operationError }),
  'generation.ended': z.object({
    generation: z.number().int().positive(),
    reason: endReason,
    message,
    exitCode: z.number().int().optional(),
    signal: z.string().max(20).optional(),
    /** When the next runner is tried, if one is wanted. */
    retryAt: z.iso.datetime().optional(),
  }),
  'session.failed': z.object({ reason: failReason, message }),
  'turn.started': z.object({
    turn: turnId,
    prompt: promptId,
    /** The event with the prompt's content. */
    promptSeq: z.number().int().positive(),
    /** 1; more when the turn goes on after its runner was lost, or after a pause. */
    attempt: z.number().int().positive(),
    /** It was paused for this reason, and goes on. */
    paused: holdReason.optional(),
  }),
  /** The attempt before was undone: its files and conversation were taken back to the checkpoint. */
  'turn.restarted': z.object({ turn: turnId, attempt: z.number().int().positive(), reason: message }),
  /** A request that nobody can answer any more. */
  'request.cancelled': z.object({ request: requestId, reason: message }),
  /** The agent pushed the session's branch through the git proxy, and it is there: the git server was asked. */
  'git.pushed': z.object({
    name: directoryName,
    url: z.string().max(limits.url),
    branch: z.string().max(limits.branch),
    commit: z.string().max(64),
    /** What the branch was before; missing: it is new. */
    previous: z.string().max(64).optional(),
    /** Who sent the prompt of the turn; missing: no turn was under way. */
    onBehalfOf: actor.optional(),
    turn: turnId.optional(),
  }),
  /** A push of the agent's was refused, or is not there although the git server said so. Told of a few in a minute. */
  'git.refused': z.object({
    url: z.string().max(limits.url),
    ref: z
      .string()
      .max(limits.branch + 20)
      .optional(),
    message,
    onBehalfOf: actor.optional(),
    turn: turnId.optional(),
  }),
  /** One request to the model, as the gateway metered it. */
  'model.usage': z.object({
    turn: turnId.optional(),
    /** Whose budget it counts against: the sender of the turn's prompt. Missing: the session's owner. */
    user: z.string().max(200).optional(),
    /** Names the request, so that none is charged twice. */
    request: z.string().max(40).optional(),
    model: z.string().max(200),
    inputTokens: z.number().int().nonnegative(),
    outputTokens: z.number().int().nonnegative(),
    cacheReadTokens: z.number().int().nonnegative(),
    cacheWriteTokens: z.number().int().nonnegative(),
    /** Null when the model's price isn't known. */
    costUsd: z.number().nonnegative().nullable(),
    durationMs: z.number().int().nonnegative(),
    /** The response ended early: cut by the upstream or given up by the agent. */
    partial: z.boolean(),
  }),
  'egress.refused': egressRefused,
  /** A request to the model that the upstream or the gateway refused. */
  'model.error': z.object({
    turn: turnId.optional(),
    model: z.string().max(200).optional(),
    /** HTTP status; 0 when there was no answer. */
    status: z.number().int(),
    type: z.string().max(100),
    message,
    retryAfterSeconds: z.number().nonnegative().optional(),
  }),
} as const
