import { z } from 'zod'
import { sessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { logSource, storedLogLine } from '../runner-log.ts'
import { route } from './route.ts'
import { numberInQuery, projectName } from './schemas.ts'

export const logRoutes = {
  listLogs: route({
    method: 'GET',
    path: '/api/projects/:project/sessions/:session/logs',
    role: 'editor',
    tag: 'Logs',
    summary: 'What the runner and the agent wrote, oldest line first; only the newest lines are kept',
    params: z.object({ project: projectName, session: sessionId }),
    query: z.object({
      source: logSource.optional().describe('Default: both'),
      after: numberInQuery(0, Number.MAX_SAFE_INTEGER)
        .optional()
        .describe('Lines after this cursor. Default: the newest lines'),
      limit: numberInQuery(1, limits.logPage).default(200),
    }),
    response: {
      status: 200,
      body: z.object({
        items: z.array(storedLogLine),
        /** Where to go on. */
        cursor: z.number().int().nonnegative(),
        /** More lines exist after the cursor. */
        more: z.boolean(),
      }),
    },
  }),
} as const
