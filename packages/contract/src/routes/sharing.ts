import { z } from 'zod'
import { sessionId } from '../ids.ts'
import { shares, visibility } from '../session/sharing.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const path = '/api/projects/:project/sessions/:session/sharing'
const params = z.object({ project: projectName, session: sessionId })

/** Who sees a session. */
export const sharing = z.object({
  /** The session's version, for `If-Match`. */
  version: z.number().int().positive(),
  visibility,
  /** Count while it is private; nobody gets more than their role in the project. */
  shares,
})

export type Sharing = z.infer<typeof sharing>

export const sharingRoutes = {
  getSharing: route({
    method: 'GET',
    path,
    role: 'viewer',
    tag: 'Sessions',
    summary: 'Who sees a session: the whole project, or its owner and those it is shared with',
    params,
    response: { status: 200, body: sharing },
  }),
  updateSharing: route({
    method: 'PATCH',
    path,
    role: 'editor',
    owner: true,
    tag: 'Sessions',
    summary:
      'Make a session private or open to the project, and share it; the list of shares is replaced as a whole',
    params,
    body: z.strictObject({ visibility: visibility.optional(), shares: shares.optional() }),
    response: { status: 200, body: sharing },
    errors: ['session_deleted', 'private_not_allowed'],
    ifMatch: true,
  }),
} as const
