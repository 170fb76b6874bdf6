import { z } from 'zod'
import { projectRoles } from '../access.ts'
import { keyId } from '../ids.ts'
import { apiKey, newApiKey } from '../key.ts'
import { limits } from '../limits.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const byProject = z.object({ project: projectName })
const byKey = z.object({ project: projectName, key: keyId })

const days = (fallback: number) => z.number().int().min(1).max(limits.keyDays).default(fallback)

export const keyRoutes = {
  listKeys: route({
    method: 'GET',
    path: '/api/projects/:project/keys',
    role: 'admin',
    tag: 'API keys',
    summary: 'List the API keys of a project, also those that were revoked lately',
    params: byProject,
    response: { status: 200, body: z.object({ items: z.array(apiKey) }) },
  }),
  createKey: route({
    method: 'POST',
    path: '/api/projects/:project/keys',
    role: 'admin',
    keys: false,
    tag: 'API keys',
    summary: 'Make an API key, which acts as itself with a role of its own; its secret is shown once',
    params: byProject,
    body: z.strictObject({
      name: z.string().trim().min(1).max(100),
      role: z.enum(projectRoles).default('editor'),
      days: days(90).describe('Days until it expires'),
    }),
    response: { status: 201, body: newApiKey },
    errors: ['too_many_keys', 'too_many_members'],
    // The secret is shown once: an answer that can be asked for again would have to be kept.
    idempotent: false,
  }),
  rotateKey: route({
    method: 'POST',
    path: '/api/projects/:project/keys/:key/rotate',
    role: 'admin',
    keys: false,
    tag: 'API keys',
    summary: 'Give a key another secret; the one before counts for a while, or no more',
    params: byKey,
    body: z.strictObject({
      graceHours: z.number().int().min(0).max(limits.keyGraceHours).default(0),
      days: days(90).describe('Days until it expires'),
    }),
    response: { status: 200, body: newApiKey },
    errors: ['key_not_found'],
    idempotent: false,
  }),
  revokeKey: route({
    method: 'DELETE',
    whileArchived: true,
    path: '/api/projects/:project/keys/:key',
    role: 'admin',
    keys: false,
    tag: 'API keys',
    summary: 'Revoke a key at once, in every project in which it is a member',
    params: byKey,
    response: { status: 204 },
    errors: ['key_not_found'],
  }),
} as const
