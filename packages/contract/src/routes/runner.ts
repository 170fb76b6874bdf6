import { z } from 'zod'
import { actor } from '../actor.ts'
import { checkpointRef } from '../checkpoint.ts'
import { fact, wireEvent } from '../events/event.ts'
import { sessionId } from '../ids.ts'
import { stopReason } from '../lifecycle.ts'
import { limits } from '../limits.ts'
import { directoryName, wantedRepository } from '../repository.ts'
import { logLine } from '../runner-log.ts'
import { effectiveSettings } from '../settings/settings.ts'
import { sha256, transferId } from '../transfer.ts'
import { baseRoutes } from './bases.ts'
import { egressRoutes } from './egress.ts'
import { gitRoutes } from './git.ts'
import { route } from './route.ts'
import { numberInQuery } from './schemas.ts'

const generation = z.number().int().positive()
const place = z.object({ generation, n: z.number().int().nonnegative() })

/** What a runner needs to know when it starts. */
export const runnerWelcome = z.object({
  session: sessionId,
  project: z.string(),
  generation,
  /** The last fact of this generation that is stored: numbering goes on from here. */
  n: z.number().int().nonnegative(),
  /** The last stored fact of the generation before. */
  previous: place.optional(),
  /** From where to read the log: what concerns the runner comes after this. */
  cursor: z.number().int().nonnegative(),
  owner: actor,
  repositories: z.array(wantedRepository).max(limits.repositories),
  /** Directories that local repositories must lie under. */
  repositoryRoots: z.array(z.string()),
  /** Without the headers of MCP servers: what calls them is the backend. */
  settings: effectiveSettings,
  /** Claude Code's own id of the conversation so far; missing at the first start. */
  conversation: z.string().max(100).optional(),
  /** Where the agent works, as chosen at the first start: a repository's directory, or empty for the workspace. */
  directory: z.union([z.literal(''), directoryName]).optional(),
  /** What to go on from when this disk has nothing of the session; missing: there is no checkpoint. */
  checkpoint: checkpointRef.optional(),
  /** The files are to become those of this checkpoint, before the agent goes on. */
  restore: checkpointRef.optional(),
  /** The session has worked before: its workspace exists, if the disk is the same. */
  resumed: z.boolean(),
  /** It was asked to end before it said hello, for this reason: nothing that comes after `cursor` says so again. */
  leaving: stopReason.optional(),
})

export type RunnerWelcome = z.infer<typeof runnerWelcome>

export const factsBody = z.strictObject({
  /** The generation that saw the facts: the runner's own, or the one before when its rest is handed over. */
  generation,
  facts: z.array(fact).min(1).max(limits.factsPerBatch),
})

export const heartbeatBody = z.strictObject({
  /** Resident memory of the agent and all that it started, in bytes. */
  memoryBytes: z.number().int().nonnegative().optional(),
  cpuMs: z.number().int().nonnegative().optional(),
  processes: z.number().int().nonnegative().optional(),
})

export const logsBody = z.strictObject({ lines: z.array(logLine).min(1).max(limits.logLinesPerBatch) })
const transferParams = z.object({ transfer: transferId, blob: sha256 })

/** The runners' own routes, on a port of their own. A runner is known by its token; nothing else says who it is. */
export const runnerRoutes = {
  runnerHello: route({
    method: 'POST',
    path: '/runner/hello',
    role: 'runner',
    tag: 'Runner',
    summary: 'Learn what to do, and where the log stands',
    response: { status: 200, body: runnerWelcome },
    errors: ['fenced'],
  }),
  runnerSettings: route({
    method: 'GET',
    path: '/runner/settings',
    role: 'runner',
    tag: 'Runner',
    summary: 'Get the settings that count for the session now',
    response: { status: 200, body: z.object({ settings: effectiveSettings }) },
    errors: ['fenced'],
  }),
  runnerFacts: route({
    method: 'POST',
    path: '/runner/facts',
    role: 'runner',
    tag: 'Runner',
    summary: 'Append facts; what is stored already is ignored, a gap is refused',
    body: factsBody,
    bodyLimit: limits.factsBody,
    response: { status: 200, body: z.object({ n: z.number().int().nonnegative() }) },
    errors: ['fenced', 'fact_gap'],
  }),
  runnerEvents: route({
    method: 'GET',
    path: '/runner/events',
    role: 'runner',
    tag: 'Runner',
    summary: 'Read the log of the runner’s session: a page, or a stream',
    query: z.object({
      after: numberInQuery(0, Number.MAX_SAFE_INTEGER).optional(),
      limit: numberInQuery(1, limits.eventsPage).default(200),
    }),
    response: {
      status: 200,
      kind: 'sse',
      body: z.object({
        items: z.array(wireEvent),
        cursor: z.number().int().nonnegative(),
        more: z.boolean(),
      }),
    },
    errors: ['fenced'],
  }),
  runnerHeartbeat: route({
    method: 'POST',
    path: '/runner/heartbeat',
    role: 'runner',
    tag: 'Runner',
    summary: 'Say that the runner lives, every 5 seconds',
    body: heartbeatBody,
    response: { status: 204 },
    errors: ['fenced'],
  }),
  runnerLogs: route({
    method: 'POST',
    path: '/runner/logs',
    role: 'runner',
    tag: 'Runner',
    summary: 'Keep lines of the runner’s log; the oldest of the session go when there are too many',
    body: logsBody,
    bodyLimit: limits.logsBody,
    response: { status: 204 },
    errors: ['fenced'],
  }),
  runnerGetBlob: route({
    method: 'GET',
    path: '/runner/blobs/:blob',
    role: 'runner',
    tag: 'Runner',
    summary: 'Get bytes that an event of the session refers to, e.g. an attached image',
    params: z.object({ blob: z.string().regex(/^[0-9a-f]{64}$/) }),
    response: { status: 200, kind: 'bytes' },
    errors: ['blob_not_found', 'fenced'],
  }),
  runnerGetTransfer: route({
    method: 'GET',
    path: '/runner/transfers/:transfer/:blob',
    role: 'runner',
    tag: 'Runner',
    summary: 'Get a part of what an open operation brings into the workspace',
    params: transferParams,
    response: { status: 200, kind: 'bytes' },
    errors: ['blob_not_found', 'fenced'],
  }),
  runnerPutTransfer: route({
    method: 'PUT',
    path: '/runner/transfers/:transfer/:blob',
    role: 'runner',
    tag: 'Runner',
    summary: 'Store a part of what an open operation takes out of the workspace, under its SHA-256; streamed',
    params: transferParams,
    bodyLimit: limits.transferPart,
    response: { status: 204 },
    errors: ['blob_not_found', 'fenced', 'storage_full'],
  }),
  runnerPutBlob: route({
    method: 'PUT',
    path: '/runner/blobs/:blob',
    role: 'runner',
    tag: 'Runner',
    summary: 'Store bytes under their SHA-256, before the fact that refers to them; streamed',
    params: z.object({ blob: z.string().regex(/^[0-9a-f]{64}$/) }),
    bodyLimit: limits.blob,
    response: { status: 204 },
    errors: ['fenced', 'storage_full'],
  }),
  ...baseRoutes,
  ...gitRoutes,
  ...egressRoutes,
} as const
