import { z } from 'zod'
import { actor } from '../actor.ts'
import { backendEvents, storedTitle } from '../events/session.ts'
import { sessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const count = z.number().int().nonnegative()

/** What is taken of something there is a limit of; without a limit, there is enough for all. */
const share = z.object({ used: count, limit: count.optional() })

export const projectQueue = z.object({
  /** Sessions of this project that wait for room, in the order in which they get it; the first ones when there are many. */
  items: z
    .array(
      z.object({
        session: sessionId,
        title: storedTitle,
        owner: actor,
        /** Its place among the sessions of all projects, from 1. It may fall back when others have fewer live sessions. */
        position: z.number().int().positive(),
        reason: backendEvents['session.waits'].shape.reason,
        /** Since when it waits. */
        since: z.iso.datetime(),
      }),
    )
    .max(limits.listPage),
  /** All of the project's that wait. */
  waiting: count,
  /** Room on this installation: for sessions of all projects, for those of this one, and for their memory in bytes. */
  capacity: z.object({
    sessions: share,
    project: share,
    memoryBytes: share,
    /** Of the project's quota of memory, in MiB: what its live sessions were started with. Missing: it has no quota. */
    projectMemoryMiB: z.object({ used: count, limit: count }).optional(),
    /** Of its quota of CPU, in cores, likewise. */
    projectCpus: z.object({ used: z.number().nonnegative(), limit: z.number().positive() }).optional(),
  }),
})

export type ProjectQueue = z.infer<typeof projectQueue>

export const queueRoutes = {
  getQueue: route({
    method: 'GET',
    path: '/api/projects/:project/queue',
    role: 'viewer',
    tag: 'Projects',
    summary: 'The sessions that wait for room, with their place and the reason, and how much room there is',
    params: z.object({ project: projectName }),
    response: { status: 200, body: projectQueue },
  }),
} as const
