import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import type { ModelProviderSetting } from '@berth/contract'
import { SignatureV4 } from '@smithy/signature-v4'
import type { SourceData } from '@smithy/types'
import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { parseJson } from '../../parse-json.ts'
import { bedrockAnswer, bedrockCount } from './bedrock-answer.ts'
import { cloudBody, modelOf } from './cloud-body.ts'
import { bedrockId, foundationId } from './cloud-models.ts'
import {
  errorAnswer,
  type ModelAnswer,
  ModelProblem,
  type ModelProvider,
  type ModelRequest,
} from './provider.ts'
import { below, send } from './send.ts'

const version = 'bedrock-2023-05-31'

/** Betas that the documentation of Bedrock's Messages API names; it refuses a request for any other. */
const knownBetas = [
  'computer-use-2025-01-24',
  'token-efficient-tools-2025-02-19',
  'interleaved-thinking-2025-05-14',
  'output-128k-2025-02-19',
  'dev-full-thinking-2025-05-14',
  'context-1m-2025-08-07',
  'context-management-2025-06-27',
  'effort-2025-11-24',
  'tool-search-tool-2025-10-19',
  'tool-examples-2025-10-29',
]

/** Fields of Anthropic's API that Bedrock does not have; the stream is asked for by the path. */
const unknownFields = ['stream', 'metadata', 'service_tier', 'container', 'inference_geo']

const credentialsForm = z.object({
  accessKeyId: z.string().min(1).max(200),
  secretAccessKey: z.string().min(1).max(1000),
  sessionToken: z.string().min(1).max(10_000).optional(),
})

export interface BedrockOptions {
  setting: Extract<ModelProviderSetting, { kind: 'bedrock' }>
  /** The secret's value. */
  credentials: () => Promise<string>
  agent: Dispatcher
  now: () => number
}

/** Amazon Bedrock: requests are signed with AWS's Signature Version 4, answers translated as they come. */
export class BedrockProvider implements ModelProvider {
  readonly hidden = new Set<string>()
  readonly #options: BedrockOptions

  constructor(options: BedrockOptions) {
    this.#options = options
  }

  async ask(request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer> {
    if (request.endpoint === 'messages') return bedrockAnswer(await this.#invoke(request, signal))
    if (request.endpoint === 'count-tokens') return bedrockCount(await this.#count(request, signal))
    return errorAnswer(
      { status: 404, type: 'not_found_error' },
      'Amazon Bedrock lists no models in this form. Name the model in the settings.',
    )
  }

  #invoke(request: ModelRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { setting } = this.#options
    const id = bedrockId(modelOf(request), setting)
    const verb = request.parsed?.stream === true ? 'invoke-with-response-stream' : 'invoke'
    return this.#send(`/model/${encodeURIComponent(id)}/${verb}`, this.#body(request), signal)
  }

  /** Counts as what an invocation with this body would be charged for. */
  #count(request: ModelRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const id = foundationId(bedrockId(modelOf(request), this.#options.setting))
    const invocation = { max_tokens: 1, ...this.#body(request) }
    const body = Buffer.from(JSON.stringify(invocation)).toString('base64')
    return this.#send(
      `/model/${encodeURIComponent(id)}/count-tokens`,
      { input: { invokeModel: { body } } },
      signal,
    )
  }

  #body(request: ModelRequest): Record<string, unknown> {
    const { fields, betas } = cloudBody(request, {
      version,
      betas: this.#options.setting.betas ?? knownBetas,
      without: unknownFields,
    })
    return betas.length === 0 ? fields : { ...fields, anthropic_beta: betas }
  }

  async #send(path: string, data: object, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { setting, agent, now } = this.#options
    const credentials = await this.#credentials()
    const url = below(setting.url ?? `https://bedrock-runtime.${setting.region}.amazonaws.com`, path)
    const body = Buffer.from(JSON.stringify(data))
    const signer = new SignatureV4({
      service: 'bedrock',
      region: setting.region,
      credentials,
      sha256: NodeSha256,
    })
    const signed = await signer.sign(
      {
        method: 'POST',
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: {},
        headers: { host: url.host, 'content-type': 'application/json' },
        body,
      },
      { signingDate: new Date(now()) },
    )
    return send(agent, { url, method: 'POST', headers: signed.headers, body }, signal)
  }

  async #credentials(): Promise<z.infer<typeof credentialsForm>> {
    const { setting, credentials } = this.#options
    const found = credentialsForm.safeParse(parseJson(await credentials())).data
    if (found === undefined)
      throw new ModelProblem(
        { status: 401, type: 'authentication_error' },
        `The secret ${setting.credentials} holds no AWS credentials: expected JSON with accessKeyId and secretAccessKey.`,
      )
    this.hidden.add(found.secretAccessKey)
    if (found.sessionToken !== undefined) this.hidden.add(found.sessionToken)
    return found
  }
}

/** SHA-256 and its HMAC as the signer wants them, by Node: a request's body may have many megabytes. */
class NodeSha256 {
  readonly #secret: Uint8Array | undefined
  #hash: Hash | Hmac

  constructor(secret?: SourceData) {
    this.#secret = secret === undefined ? undefined : bytesOf(secret)
    this.#hash = this.#fresh()
  }

  update(data: Uint8Array | SourceData): void {
    this.#hash.update(bytesOf(data))
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {
    this.#hash = this.#fresh()
  }

  #fresh(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret)
  }
}

const bytesOf = (data: SourceData): Uint8Array => {
  if (typeof data === 'string') return Buffer.from(data, 'utf8')
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data)
}
