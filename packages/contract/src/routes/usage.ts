import { z } from 'zod'
import { budget } from '../budget.ts'
import { sessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { usageSum } from '../usage.ts'
import { route } from './route.ts'
import { page, pageQuery, projectName } from './schemas.ts'

const day = z.iso.date()
const groups = ['session', 'model', 'day', 'owner'] as const

/** What a group of requests to models used. */
const usageItem = usageSum.extend({
  /** The session’s id, the model, the day, or the owner’s id. */
  key: z.string(),
  /** The session’s title. */
  title: z.string().max(limits.title).optional(),
})

/** What was used, in groups, with the budgets that it counts against. */
export const usageReport = page(usageItem).extend({
  by: z.enum(groups),
  /** The days (UTC), both included. */
  from: day,
  to: day,
  /** Everything in these days, also by sessions that are gone. */
  total: usageSum,
  budgets: z.array(budget),
})

export type UsageReport = z.infer<typeof usageReport>

const range = {
  to: day.optional().describe('The last day (UTC). Default: today'),
}

const byProject = z.object({ project: projectName })

export const usageRoutes = {
  getProjectUsage: route({
    method: 'GET',
    path: '/api/projects/:project/usage',
    role: 'viewer',
    tag: 'Usage',
    summary: 'What the sessions of a project used, by session, model, day or owner; and its budgets',
    params: byProject,
    query: pageQuery.extend({
      by: z.enum(groups).default('model'),
      from: day.optional().describe('The first day (UTC). Default: 29 days before the last'),
      ...range,
    }),
    response: { status: 200, body: usageReport },
    errors: ['invalid_cursor'],
  }),
  getSessionUsage: route({
    method: 'GET',
    path: '/api/projects/:project/sessions/:session/usage',
    role: 'viewer',
    tag: 'Usage',
    summary: 'What a session used, by model or day; and the budgets that limit it',
    params: byProject.extend({ session: sessionId }),
    query: pageQuery.extend({
      by: z.enum(['model', 'day']).default('model'),
      from: day.optional().describe('The first day (UTC). Default: the day of its creation'),
      ...range,
    }),
    response: { status: 200, body: usageReport },
    errors: ['invalid_cursor'],
  }),
} as const
