import type { IncomingHttpHeaders } from 'undici/types/header.js'

/** The endpoints of the Messages API that Claude Code needs. */
export type ModelEndpoint = 'messages' | 'count-tokens' | 'models' | 'model'

/** A request of an agent, checked: what a provider makes its own request of. */
export interface ModelRequest {
  endpoint: ModelEndpoint
  method: 'GET' | 'POST'
  /** Path and query as Anthropic's API has them. */
  path: string
  /** The agent's, chosen: none that says who it is or how the connection is. */
  headers: Readonly<Record<string, string>>
  body: Buffer | undefined
  /** The body, if it is a JSON object. */
  parsed: Readonly<Record<string, unknown>> | undefined
  /** By Claude Code's name. */
  model: string | undefined
}

/** An answer in the shape of Anthropic's API, whoever gave it. Its body is read once, or destroyed by leaving the loop. */
export interface ModelAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: AsyncIterable<Uint8Array>
}

/** Who answers requests to a model. One is made for each request. */
export interface ModelProvider {
  /** What it has put into requests so far and must never be told, not even when the upstream repeats it. */
  readonly hidden: ReadonlySet<string>
  /**
   * Sends the request, and resolves as soon as an answer begins. Rejects with ModelProblem when it knows why there is none, else
   * with what the connection said; never with a secret in it. Follows no redirect.
   */
  ask(request: ModelRequest, signal: AbortSignal): Promise<ModelAnswer>
}

/** Why a model could not be asked, in the words of Anthropic's API and for people. */
export class ModelProblem extends Error {
  override readonly name = 'ModelProblem'
  readonly status: number
  readonly type: string

  constructor({ status, type }: { status: number; type: string }, message: string) {
    super(message)
    this.status = status
    this.type = type
  }
}

/** An answer of the gateway's own, in Anthropic's shape. */
export const errorAnswer = (
  { status, type }: { status: number; type: string },
  message: string,
  headers: IncomingHttpHeaders = {},
): ModelAnswer => jsonAnswer(status, { type: 'error', error: { type, message } }, headers)

export const jsonAnswer = (status: number, body: object, headers: IncomingHttpHeaders = {}): ModelAnswer => ({
  status,
  headers: { ...headers, 'content-type': 'application/json' },
  body: once(Buffer.from(JSON.stringify(body))),
})

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
