import { z } from 'zod'
import { sessionId } from '../ids.ts'
import { effectiveSettings, sessionSettings } from '../settings/settings.ts'
import { route } from './route.ts'
import { originMap, projectName } from './schemas.ts'

const path = '/api/projects/:project/sessions/:session/settings'
const params = z.object({ project: projectName, session: sessionId })

/** The settings of a session: what it sets itself, what counts, and where that comes from. */
export const sessionSettingsView = z.object({
  /** The session's version, for `If-Match`. */
  version: z.number().int().positive(),
  own: sessionSettings,
  effective: effectiveSettings,
  origins: originMap,
})

export type SessionSettingsView = z.infer<typeof sessionSettingsView>

export const sessionSettingsRoutes = {
  getSessionSettings: route({
    method: 'GET',
    path,
    role: 'viewer',
    tag: 'Sessions',
    summary: 'Get the settings of a session: own, effective, and where each value comes from',
    params,
    response: { status: 200, body: sessionSettingsView },
  }),
  updateSessionSettings: route({
    method: 'PATCH',
    path,
    role: 'editor',
    tag: 'Sessions',
    summary: 'Change settings of a session, also of one that lives; null takes a value back to the project’s',
    params,
    body: z.strictObject(
      Object.fromEntries(
        Object.entries(sessionSettings.shape).map(([name, schema]) => [name, schema.nullable()]),
      ),
    ),
    response: { status: 200, body: sessionSettingsView },
    errors: ['session_deleted', 'model_not_allowed', 'repository_not_allowed'],
    ifMatch: true,
  }),
} as const
