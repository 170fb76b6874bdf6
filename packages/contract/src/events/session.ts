import { z } from 'zod'
import { storedBlock } from '../content.ts'
import { promptId, requestId, sessionId, turnId } from '../ids.ts'
import { endReason, failReason, stopReason } from '../lifecycle.ts'
import { limits } from '../limits.ts'
import { repositories } from '../repository.ts'
import { answers, permissionDecision } from '../requests.ts'
import { sessionSettings } from '../settings.ts'

const message = z.string().max(limits.message)

export const labels = z
  .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/), z.string().max(limits.labelValue))
  .refine((map) => Object.keys(map).length <= limits.labels, `at most ${limits.labels} labels`)

/** A title as it is sent; space around it is cut off. */
export const title = z.string().trim().min(1).max(limits.title)

/** A title as the log holds it. */
export const storedTitle = z.string().min(1).max(limits.title)

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
  }),
  'session.updated': z.object({ title: storedTitle.optional(), labels: labels.optional() }),
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
} as const

/** What the backend does and observes. */
export const backendEvents = {
  /** A runner was asked for. */
  'generation.started': z.object({ generation: z.number().int().positive(), runtime: z.string().max(50) }),
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
    /** 1; more when the turn goes on after its runner was lost. */
    attempt: z.number().int().positive(),
  }),
  /** The attempt before was undone: its files and conversation were taken back to the checkpoint. */
  'turn.restarted': z.object({ turn: turnId, attempt: z.number().int().positive(), reason: message }),
  /** A request that nobody can answer any more. */
  'request.cancelled': z.object({ request: requestId, reason: message }),
  /** One request to the model, as the gateway metered it. */
  'model.usage': z.object({
    turn: turnId.optional(),
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
