import { z } from 'zod'
import { limits } from '../limits.ts'
import { modelName } from '../settings/model-name.ts'
import { route } from './route.ts'
import { projectName } from './schemas.ts'

/** How one key, or one set of credentials, did. */
const triedKey = z.object({
  /** The secret’s name; `platform` for the platform’s own key. */
  name: z.string(),
  ok: z.boolean(),
  /** The model as the provider names it, when it answered. */
  model: z.string().max(200).optional(),
  /** Milliseconds until the whole answer was there. */
  latencyMs: z.number().int().nonnegative(),
  /** Of the provider’s answer; 0: there was none. */
  status: z.number().int().nonnegative(),
  /** What the provider said was wrong, or why it could not be asked. */
  message: z.string().max(limits.message).optional(),
  /** What to do about it. */
  advice: z.string().max(limits.message).optional(),
})

export const modelProviderTest = z.object({
  provider: z.enum(['anthropic', 'bedrock', 'vertex', 'platform']),
  /** The model that was asked for. */
  asked: modelName,
  /** Every key works. */
  ok: z.boolean(),
  keys: z.array(triedKey),
  /** The models that the provider lists, where it has such a list. */
  models: z.array(z.string().max(200)).max(1000).optional(),
})

export type ModelProviderTest = z.infer<typeof modelProviderTest>

export const modelProviderRoutes = {
  testModelProvider: route({
    method: 'POST',
    path: '/api/projects/:project/model-provider/test',
    role: 'admin',
    tag: 'Projects',
    summary:
      'Ask the project’s model with each of its keys, for one token: what works, and what to do about the rest',
    params: z.object({ project: projectName }),
    body: z.strictObject({
      /** Default: the project’s small model, its model, or a small one of Anthropic’s. */
      model: modelName.optional(),
    }),
    response: { status: 200, body: modelProviderTest },
    errors: ['no_model_key'],
    idempotent: false,
  }),
} as const
