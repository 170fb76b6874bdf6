import { z } from 'zod'
import { actor } from '../actor.ts'
import { diffStat } from '../changes.ts'
import { labels, storedTitle } from '../events/session.ts'
import { promptId, sessionId, turnId } from '../ids.ts'
import { desired, holdReason, sessionStatus } from '../lifecycle.ts'
import { limits } from '../limits.ts'
import { directoryName } from '../repository.ts'
import { openRequest } from '../requests.ts'
import { agentSecret } from '../secret.ts'
import { modelName } from '../settings/model-name.ts'
import { usage } from '../usage.ts'
import { visibility } from './sharing.ts'

const time = z.iso.datetime()
const count = z.number().int().nonnegative()

/** A prompt that waits for its turn. */
export const queuedPrompt = z.object({
  prompt: promptId,
  /** The event with its content. */
  seq: z.number().int().positive(),
  at: time,
  sender: actor,
  preview: z.string().max(200),
})

export type QueuedPrompt = z.infer<typeof queuedPrompt>

/** The turn that runs, or that goes on when a runner is back. */
const currentTurn = z.object({
  turn: turnId,
  prompt: promptId,
  promptSeq: z.number().int().positive(),
  /** Who sent the prompt: whose rights and budgets count for it. */
  sender: actor,
  attempt: z.number().int().positive(),
  /** Runners lost during this turn; a pause is no loss. */
  losses: count,
  startedAt: time,
  preview: z.string().max(200),
  interrupting: z.boolean(),
  /** It was stopped in the middle and goes on with the session. */
  paused: z.object({ reason: holdReason, message: z.string().max(4000) }).optional(),
})

export type CurrentTurn = z.infer<typeof currentTurn>

/** How the last turn ended. */
const lastTurn = z.object({
  turn: turnId,
  sender: actor,
  result: z.enum(['success', 'error', 'interrupted', 'failed']),
  code: z.string().max(100).optional(),
  message: z.string().max(1000),
  endedAt: time,
})

/** A repository as summaries show it. */
export const sessionRepository = z.object({
  name: directoryName,
  url: z.string(),
  branch: z.string().optional(),
  sessionBranch: z.string().optional(),
  base: z.string().optional(),
  /** `pending`: the runner hasn't begun with it. */
  state: z.enum(['pending', 'cloning', 'ready', 'failed']),
  /** Why it failed, and what to do. */
  message: z.string().max(4000).optional(),
  diff: diffStat,
  /** The last push to its origin. */
  pushed: z
    .object({ branch: z.string(), commit: z.string(), tip: z.string().optional(), at: time })
    .optional(),
})

/** What lists and headers show of a session. Stored ready to send. */
export const sessionSummary = z.object({
  id: sessionId,
  project: z.string(),
  title: storedTitle,
  labels,
  owner: actor,
  visibility,
  createdAt: time,
  updatedAt: time,
  /** For `If-Match`: changes when title, labels, settings or sharing change. */
  version: z.number().int().positive(),
  /** The last event. */
  seq: z.number().int().positive(),
  desired,
  status: sessionStatus,
  /** What it does right now, in a few words. */
  activity: z.string().max(300),
  /** Whether a real model answers, or written scenarios. */
  modelSource: z.enum(['live', 'scripted']),
  /** The model of the next turn; missing: the upstream's default. */
  model: modelName.optional(),
  /** False: the agent runs without a sandbox. Missing until the first start. */
  sandboxed: z.boolean().optional(),
  repositories: z.array(sessionRepository),
  diff: diffStat,
  usage,
  turns: count,
  turn: currentTurn.optional(),
  lastTurn: lastTurn.optional(),
  queue: z.array(queuedPrompt),
  /** What the queue waits for, when not for the agent: a limit that somebody has to raise. */
  blockedBy: holdReason.optional(),
  requests: z.array(openRequest),
  /** The last checkpoint: what the session can be resumed or forked from anywhere. */
  checkpoint: z
    .object({ number: z.number().int().positive(), turn: turnId.optional(), at: time, size: count })
    .optional(),
  /** What agent and tools use, while they live. */
  resources: z.object({ memoryBytes: count, cpuMs: count, processes: count, at: time }).optional(),
  /** Where it was forked from. */
  fork: z.object({ project: z.string(), session: sessionId, turn: turnId.optional() }).optional(),
  workflow: z
    .object({ name: z.string(), url: z.string(), commit: z.string(), description: z.string().optional() })
    .optional(),
  /** MCP servers by name. */
  mcp: z
    .array(z.object({ name: z.string(), status: z.string() }))
    .max(100)
    .optional(),
  /** Secrets of the project that the agent can read, and so whoever may prompt it. Missing: none. */
  agentSecrets: z.array(agentSecret).max(limits.secrets).optional(),
  /** How far the agent's list of things to do is. */
  todos: z.object({ completed: count, total: count, current: z.string().max(500).optional() }).optional(),
  generation: count,
  /** Runners lost since the last turn that ended. */
  restarts: count,
  deletedAt: time.optional(),
  /** When a deleted session is purged. */
  purgeAt: time.optional(),
})

export type SessionSummary = z.infer<typeof sessionSummary>
