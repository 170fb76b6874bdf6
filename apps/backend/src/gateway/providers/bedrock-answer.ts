import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { parseJson } from '../../parse-json.ts'
import { type Frame, frames } from './aws-frames.ts'
import { errorAnswer, jsonAnswer, type ModelAnswer } from './provider.ts'
import { headerOf, readStart } from './send.ts'

/** Anthropic's names for Bedrock's exceptions. */
const types: Readonly<Record<string, string>> = {
  validation: 'invalid_request_error',
  accessdenied: 'permission_error',
  resourcenotfound: 'not_found_error',
  throttling: 'rate_limit_error',
  modelnotready: 'rate_limit_error',
  servicequotaexceeded: 'rate_limit_error',
  serviceunavailable: 'overloaded_error',
  modeltimeout: 'timeout_error',
  modelerror: 'api_error',
  modelstreamerror: 'api_error',
  internalserver: 'api_error',
  unrecognizedclient: 'authentication_error',
  invalidsignature: 'authentication_error',
  incompletesignature: 'authentication_error',
  missingauthenticationtoken: 'authentication_error',
  expiredtoken: 'authentication_error',
}

/** The name of an exception, however it is written: `ThrottlingException`, `throttlingException`, `…#Name`, `Name:http://…`. */
const typeOf = (name: string): string => {
  const [bare = ''] = name.replace(/^.*#/, '').split(':')
  return types[bare.replace(/Exception$/, '').toLowerCase()] ?? 'api_error'
}

const said = z.object({
  message: z.string().optional(),
  Message: z.string().optional(),
  __type: z.string().optional(),
})

/** An answer of `/model/…/invoke` or `/invoke-with-response-stream`, as Anthropic would have given it. */
export const bedrockAnswer = async (answer: Dispatcher.ResponseData): Promise<ModelAnswer> => {
  const { statusCode: status, headers, body } = answer
  const request = headerOf(headers, 'x-amzn-requestid')
  const own: Record<string, string> = request === undefined ? {} : { 'request-id': request }
  if (status !== 200) return refusal(answer, own)
  if (!(headerOf(headers, 'content-type') ?? '').includes('application/vnd.amazon.eventstream'))
    return { status, headers: { ...own, 'content-type': 'application/json' }, body }
  return {
    status,
    headers: { ...own, 'content-type': 'text/event-stream; charset=utf-8' },
    body: sseOf(body),
  }
}

const counted = z.object({ inputTokens: z.number().int().nonnegative() })

/** An answer of `/model/…/count-tokens`. */
export const bedrockCount = async (answer: Dispatcher.ResponseData): Promise<ModelAnswer> => {
  if (answer.statusCode !== 200) return refusal(answer, {})
  const count = counted.safeParse(parseJson(await readStart(answer.body))).data
  return count === undefined
    ? errorAnswer({ status: 502, type: 'api_error' }, 'Bedrock gave no number of tokens.')
    : jsonAnswer(200, { input_tokens: count.inputTokens })
}

const refusal = async (
  { statusCode: status, headers, body }: Dispatcher.ResponseData,
  own: Record<string, string>,
): Promise<ModelAnswer> => {
  const text = await readStart(body)
  const data = said.safeParse(parseJson(text)).data ?? {}
  const type = typeOf(headerOf(headers, 'x-amzn-errortype') ?? data.__type ?? '')
  const message = data.message ?? data.Message ?? `Bedrock answered with status ${status}.`
  const after = headerOf(headers, 'retry-after')
  return errorAnswer({ status, type }, message, after === undefined ? own : { ...own, 'retry-after': after })
}

/** The events of the stream as Anthropic's own stream has them: one by one, none kept. */
async function* sseOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const frame of frames(body)) {
    const event = eventOf(frame)
    if (event !== undefined) yield Buffer.from(event, 'utf8')
  }
}

const chunk = z.object({ bytes: z.base64() })
const typed = z.looseObject({ type: z.string().regex(/^[a-z_]{1,50}$/) })

const eventOf = ({ headers, body }: Frame): string | undefined => {
  const data = parseJson(Buffer.from(body).toString('utf8'))
  if (headers[':message-type'] !== 'event') return problemOf(headers, data)
  const bytes = chunk.safeParse(data).data?.bytes
  if (bytes === undefined) return undefined
  const event = typed.safeParse(parseJson(Buffer.from(bytes, 'base64').toString('utf8'))).data
  if (event === undefined) return undefined
  // What Bedrock measured is not part of Anthropic's events.
  const { 'amazon-bedrock-invocationMetrics': _, ...rest } = event
  return sse(rest.type, rest)
}

/** An exception in the middle of a stream, or an error of the stream itself. */
const problemOf = (headers: Frame['headers'], data: unknown): string => {
  const name = headers[':exception-type'] ?? headers[':error-code'] ?? ''
  const message =
    said.safeParse(data).data?.message ?? headers[':error-message'] ?? `Bedrock broke off: ${name}`
  return sse('error', { type: 'error', error: { type: typeOf(name), message } })
}

const sse = (event: string, data: object): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
