import type { ModelProviderSetting } from '@berth/contract'
import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { parseJson } from '../../parse-json.ts'
import { cloudBody, modelOf } from './cloud-body.ts'
import { vertexId } from './cloud-models.ts'
import type { GoogleTokens } from './google-tokens.ts'
import { errorAnswer, type ModelAnswer, type ModelProvider, type ModelRequest } from './provider.ts'
import { below, headerOf, readStart, send } from './send.ts'

const version = 'vertex-2023-10-16'

/** Betas that Vertex AI is known to take. */
const knownBetas = [
  'computer-use-2025-01-24',
  'computer-use-2025-11-24',
  'interleaved-thinking-2025-05-14',
  'context-1m-2025-08-07',
  'context-management-2025-06-27',
  'tool-search-tool-2025-10-19',
  'web-search-2025-03-05',
]

export interface VertexOptions {
  setting: Extract<ModelProviderSetting, { kind: 'vertex' }>
  /** The secret's value. */
  credentials: () => Promise<string>
  tokens: GoogleTokens
  agent: Dispatcher
}

/** Google Vertex AI: an access token of a service account, the model in the path, answers as Anthropic gives them. */
export class VertexProvider implements ModelProvider {
  readonly hidden = new Set<string>()
  readonly #options: VertexOptions

  constructor(options: VertexOptions) {
    this.#options = options
  }

  async ask(request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer> {
    const { setting } = this.#options
    if (request.endpoint !== 'messages' && request.endpoint !== 'count-tokens')
      return errorAnswer(
        { status: 404, type: 'not_found_error' },
        'Vertex AI lists no models in this form. Name the model in the settings.',
      )
    const id = vertexId(modelOf(request), setting.models)
    const { fields, betas } = cloudBody(request, { version, betas: setting.betas ?? knownBetas })
    const counts = request.endpoint === 'count-tokens'
    const [model, verb] = counts
      ? ['count-tokens', 'rawPredict']
      : [id, request.parsed?.stream === true ? 'streamRawPredict' : 'rawPredict']
    const body = JSON.stringify(counts ? { ...fields, model: id } : fields)
    return vertexAnswer(await this.#send(`${encodeURIComponent(model)}:${verb}`, { body, betas }, signal))
  }

  async #send(
    call: string,
    { body, betas }: { body: string; betas: string[] },
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { setting, agent, tokens, credentials } = this.#options
    const { projectId, location, url } = setting
    const account = await credentials()
    const token = await tokens.token(account, setting.credentials)
    this.hidden.add(token)
    const path = `/v1/projects/${encodeURIComponent(projectId)}/locations/${location}/publishers/anthropic/models/${call}`
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
    }
    const answer = await send(
      agent,
      { url: below(url ?? hostOf(location), path), method: 'POST', headers, body },
      signal,
    )
    if (answer.statusCode === 401) tokens.forget(account)
    return answer
  }
}

const hostOf = (location: string): string => {
  if (location === 'global') return 'https://aiplatform.googleapis.com'
  return location === 'us' || location === 'eu'
    ? `https://aiplatform.${location}.rep.googleapis.com`
    : `https://${location}-aiplatform.googleapis.com`
}

/** Anthropic's names for Google's statuses. */
const types: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: 'invalid_request_error',
  FAILED_PRECONDITION: 'invalid_request_error',
  OUT_OF_RANGE: 'invalid_request_error',
  UNAUTHENTICATED: 'authentication_error',
  PERMISSION_DENIED: 'permission_error',
  NOT_FOUND: 'not_found_error',
  RESOURCE_EXHAUSTED: 'rate_limit_error',
  UNAVAILABLE: 'overloaded_error',
  DEADLINE_EXCEEDED: 'timeout_error',
}

const anthropicError = z.object({
  type: z.literal('error'),
  error: z.object({ type: z.string(), message: z.string() }),
})
const googleError = z.object({ error: z.object({ message: z.string(), status: z.string().optional() }) })

const vertexAnswer = async ({
  statusCode: status,
  headers,
  body,
}: Dispatcher.ResponseData): Promise<ModelAnswer> => {
  if (status === 200) return { status, headers, body }
  const text = await readStart(body)
  const after = headerOf(headers, 'retry-after')
  const own = after === undefined ? {} : { 'retry-after': after }
  const data = parseJson(text)
  const known = anthropicError.safeParse(data).data?.error
  if (known !== undefined) return errorAnswer({ status, type: known.type }, known.message, own)
  // A stream’s error comes in a list.
  const found = googleError.safeParse(Array.isArray(data) ? data[0] : data).data?.error
  const type = types[found?.status ?? ''] ?? 'api_error'
  return errorAnswer({ status, type }, found?.message ?? `Vertex AI answered with status ${status}.`, own)
}
