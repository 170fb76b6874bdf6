import { z } from 'zod'
import { visibility } from '../session/sharing.ts'

/** Who sees sessions, as a project has it. */
export const sharingSettings = {
  /** The visibility of new sessions that say none. Default: project. */
  sessionVisibility: visibility.optional(),
  /** Whether sessions may be private. False: none becomes private any more. Default: true. */
  privateSessions: z.boolean().optional(),
}
