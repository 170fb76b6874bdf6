import { z } from 'zod'
import { projectRoles } from './access.ts'
import { actor } from './actor.ts'
import { keyId } from './ids.ts'

const time = z.iso.datetime()

/** An API key as its project's admins see it: never the secret. */
export const apiKey = z.object({
  id: keyId,
  name: z.string(),
  /** How the secret begins: what scanners and logs may show. */
  prefix: z.string(),
  /** Its role in the project; missing once it is revoked. */
  role: z.enum(projectRoles).optional(),
  createdBy: actor,
  createdAt: time,
  expiresAt: time,
  rotatedAt: time.optional(),
  /** The secret before the last rotation still counts until then. */
  graceUntil: time.optional(),
  /** Written at most once a minute. */
  lastUsedAt: time.optional(),
  lastUsedAddress: z.string().optional(),
  revokedAt: time.optional(),
})

export type ApiKey = z.infer<typeof apiKey>

/** A key with its secret: shown when it is made, and never again. */
export const newApiKey = apiKey.extend({
  secret: z.string().describe('Shown once. Keep it where only its user can read it.'),
})

export type NewApiKey = z.infer<typeof newApiKey>
