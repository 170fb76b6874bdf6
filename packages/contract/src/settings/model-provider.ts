import { z } from 'zod'
import { limits } from '../limits.ts'
import { modelName } from './model-name.ts'

/** The name of a secret of the project: what is kept under it, nobody reads. */
const secretReference = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'expected the name of a secret, such as anthropic-key')

const endpoint = z.url({ protocol: /^https?$/ }).max(limits.url)

/** The cloud's own id for a model, by Claude Code's name. Names that are left out follow the cloud's usual form. */
const modelMap = z
  .record(
    modelName,
    z
      .string()
      .min(1)
      .max(512)
      .regex(/^[\x21-\x7e]+$/, 'expected an id without spaces'),
  )
  .refine((map) => Object.keys(map).length <= 100, 'at most 100 models')

const betas = z.array(z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'expected the name of a beta')).max(50)

/** Anthropic, or whoever speaks its Messages API. */
const anthropicProvider = z.strictObject({
  kind: z.literal('anthropic'),
  /** Where the API is, without `/v1`. */
  url: endpoint.default('https://api.anthropic.com'),
  /** Secrets with a key each. The first counts; while it is refused or at its limit, the next one is used. */
  keys: z
    .array(secretReference)
    .min(1)
    .max(10)
    .refine((names) => new Set(names).size === names.length, 'each key once'),
  /** How the key is sent: `x-api-key: KEY`, or `authorization: Bearer KEY`. */
  header: z.enum(['x-api-key', 'bearer']).default('x-api-key'),
})

/** Amazon Bedrock. */
const bedrockProvider = z.strictObject({
  kind: z.literal('bedrock'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected a region such as eu-central-1'),
  /** A secret whose value is JSON: `{"accessKeyId", "secretAccessKey", "sessionToken"?}`. */
  credentials: secretReference,
  /** Default: that of the region. */
  url: endpoint.optional(),
  /** Where a request may be answered: the prefix of model ids. Default: the one of the region. */
  profile: z.enum(['none', 'global', 'us', 'eu', 'apac', 'jp', 'au', 'us-gov']).optional(),
  models: modelMap.default({}),
  /** Betas that are passed on. Default: those that Bedrock is known to take. */
  betas: betas.optional(),
})

/** Google Vertex AI. */
const vertexProvider = z.strictObject({
  kind: z.literal('vertex'),
  projectId: z
    .string()
    .regex(/^[a-z][a-z0-9.:-]{4,98}[a-z0-9]$/, 'expected the id of a Google Cloud project'),
  /** A region, `global`, or a multi-region (`us`, `eu`). */
  location: z
    .string()
    .regex(/^[a-z]+(-[a-z]+[0-9]+)?$/, 'expected a location such as europe-west1 or global'),
  /** A secret whose value is the JSON of a service account's key. */
  credentials: secretReference,
  /** Default: that of the location. */
  url: endpoint.optional(),
  models: modelMap.default({}),
  /** Betas that are passed on. Default: those that Vertex AI is known to take. */
  betas: betas.optional(),
})

/** Where a project's sessions ask for their model, and with which secrets. Missing: what the platform has. */
export const modelProvider = z.discriminatedUnion('kind', [
  anthropicProvider,
  bedrockProvider,
  vertexProvider,
])

export type ModelProviderSetting = z.infer<typeof modelProvider>
