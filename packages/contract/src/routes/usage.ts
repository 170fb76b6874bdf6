import { z } from 'zod'
import { budget } from '../budget.ts'
import { sessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { usageSum } from '../usage.ts'
import { route } from './route.ts'
import { page, pageQuery, projectName } from './schemas.ts'

const day = z.iso.date()
const groups = ['session', 'model', 'day', 'user'] as const

/** What a group of requests to models used. */
const usageItem = usageSum.extend({
  /** The session’s id, the model, the day, the user’s id, or the project. */
  key: z.string(),
  /** The session’s title. */
  title: z.string().max(limits.title).optional(),
})

export type UsageItem = z.infer<typeof usageItem>

/** What was used, in groups, with the budgets that it counts against. */
export const usageReport = page(usageItem).extend({
  by: z.enum([...groups, 'project']),
  /** The days (UTC), both included. */
  from: day,
  to: day,
  /** Everything in these days, also by sessions that are gone. */
  total: usageSum,
  /** Those that limit the session; or the project and whoever asks. None for all projects together. */
  budgets: z.array(budget),
})

export type UsageReport = z.infer<typeof usageReport>

const month = day.optional().describe('The first day (UTC). Default: 29 days before the last')

const common = {
  to: day.optional().describe('The last day (UTC). Default: today'),
  format: z
    .enum(['json', 'csv'])
    .optional()
    .describe('`csv`: every group in one table, as also `Accept: text/csv` asks for. Default: json'),
}

const response = { status: 200, body: usageReport, kind: 'csv' } as const
const byProject = z.object({ project: projectName })

export const usageRoutes = {
  getUsage: route({
    method: 'GET',
    path: '/api/usage',
    role: 'platform-admin',
    tag: 'Usage',
    summary: 'What all projects used, by project, model, day or user',
    query: pageQuery.extend({
      by: z.enum(['project', 'model', 'day', 'user']).default('project'),
      from: month,
      ...common,
    }),
    response,
    errors: ['invalid_cursor'],
  }),
  getProjectUsage: route({
    method: 'GET',
    path: '/api/projects/:project/usage',
    role: 'viewer',
    tag: 'Usage',
    summary:
      'What the sessions of a project used, by session, model, day or user (who sent the prompts); and its budgets and yours',
    params: byProject,
    query: pageQuery.extend({ by: z.enum(groups).default('model'), from: month, ...common }),
    response,
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
      ...common,
    }),
    response,
    errors: ['invalid_cursor'],
  }),
} as const
