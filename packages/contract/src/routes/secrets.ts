import { z } from 'zod'
import { sealingKey, secret, secretInput, secretName } from '../secret.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

const byProject = z.object({ project: projectName })
const bySecret = byProject.extend({ name: secretName })

export const secretRoutes = {
  listSecrets: route({
    method: 'GET',
    path: '/api/projects/:project/secrets',
    role: 'admin',
    tag: 'Secrets',
    summary: 'List the secrets, by name: everything but their values',
    params: byProject,
    response: { status: 200, body: z.object({ items: z.array(secret) }) },
  }),
  putSecret: route({
    method: 'PUT',
    path: '/api/projects/:project/secrets/:name',
    role: 'admin',
    tag: 'Secrets',
    summary: 'Set a secret, or a new value of it; nothing gives a value back',
    params: bySecret,
    body: secretInput,
    response: { status: 200, body: secret },
    errors: ['too_many_secrets'],
  }),
  deleteSecret: route({
    method: 'DELETE',
    path: '/api/projects/:project/secrets/:name',
    role: 'admin',
    tag: 'Secrets',
    summary: 'Delete a secret; refused while settings refer to it',
    params: bySecret,
    query: z.object({
      force: z.stringbool().default(false).describe('Also while settings refer to it'),
    }),
    response: { status: 204 },
    errors: ['secret_not_found', 'secret_in_use'],
  }),
  listSealingKeys: route({
    method: 'GET',
    path: '/api/secrets/keys',
    role: 'platform-admin',
    tag: 'Secrets',
    summary: 'List the keys with which values are sealed, and how many values need each',
    response: { status: 200, body: z.object({ items: z.array(sealingKey) }) },
  }),
  rekeySecrets: route({
    method: 'POST',
    path: '/api/secrets/rekey',
    role: 'platform-admin',
    tag: 'Secrets',
    summary: 'Seal a batch of values with the current key; call it again until none is left',
    body: z.strictObject({ limit: z.number().int().min(1).max(1000).default(200) }),
    response: {
      status: 200,
      body: z.object({
        /** Values that were sealed anew by this call. */
        done: z.number().int().nonnegative(),
        /** Values that still need another key. */
        left: z.number().int().nonnegative(),
        /** Those of them whose key is missing: they have to be set anew. */
        unusable: z.number().int().nonnegative(),
      }),
    },
    // Doing it twice is doing it once.
    idempotent: false,
  }),
} as const
