import { type Route, takesIdempotencyKey } from '@berth/contract'
import type { Bytes, BytesSource, CallOptions } from './call-types.ts'
import { ConnectionError } from './errors.ts'
import { retryDelay } from './retry.ts'
import { type HttpRequest, sendOnce, type Transport } from './transport.ts'
import { buildUrl, type QueryValue } from './url.ts'

/** The input of any route, as the rows' types have it once they are forgotten. */
export interface LooseInput extends CallOptions {
  params?: Record<string, string> | undefined
  query?: Record<string, QueryValue> | undefined
  body?: unknown
  bytes?: BytesSource | undefined
  ifMatch?: number | undefined
}

/** Calls a route, with retries as far as they are safe. */
export const callRoute = (transport: Transport, row: Route, input: LooseInput): Promise<unknown> => {
  const repeatable = row.method === 'GET' || row.role === 'runner' || takesIdempotencyKey(row)
  return sendWithRetries(transport, toRequest(transport, row, input), { repeatable, read: reader(row) })
}

export const sendWithRetries = async <T>(
  transport: Transport,
  request: HttpRequest,
  { repeatable, read }: { repeatable: boolean; read: (response: Response) => Promise<T> },
): Promise<T> => {
  const { ambient, retry } = transport
  for (let attempt = 1; ; attempt++) {
    try {
      return await sendOnce(transport, request, read)
    } catch (error) {
      const delay = retryDelay({ error, attempt, repeatable, random: ambient.random() }, retry)
      if (delay === undefined || request.signal?.aborted === true) throw error
      await ambient.sleep(delay, request.signal)
      request.signal?.throwIfAborted()
    }
  }
}

export const toRequest = (transport: Transport, row: Route, input: LooseInput): HttpRequest => {
  const headers: Record<string, string> = { accept: acceptOf(row), ...input.headers }
  if (takesIdempotencyKey(row)) headers['idempotency-key'] = input.idempotencyKey ?? randomKey()
  if (input.ifMatch !== undefined) headers['if-match'] = `"${input.ifMatch}"`
  const json = input.body === undefined ? undefined : JSON.stringify(input.body)
  const bytes = bytesOf(input.bytes)
  if (json !== undefined) headers['content-type'] = 'application/json'
  if (bytes !== undefined) headers['content-type'] = 'application/octet-stream'
  return {
    method: row.method,
    url: buildUrl(transport.baseUrl, row.path, {
      ...(input.params === undefined ? {} : { params: input.params }),
      ...(input.query === undefined ? {} : { query: input.query }),
    }),
    headers,
    signal: input.signal,
    timeoutMs: input.timeoutMs,
    ...(json === undefined ? {} : { body: () => json }),
    ...(bytes === undefined ? {} : { body: bytes }),
  }
}

const bytesOf = (source: BytesSource | undefined): HttpRequest['body'] =>
  source === undefined || typeof source === 'function' ? source : () => source

const acceptOf = ({ response }: Route): string => {
  if (response.kind === 'bytes') return '*/*'
  return response.kind === 'text' ? 'text/plain, */*' : 'application/json'
}

/** `getRandomValues` is there in pages without TLS, where `randomUUID` is not. */
const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  )

const reader =
  ({ response: { kind, body, status } }: Route) =>
  async (response: Response): Promise<unknown> => {
    if (kind === 'bytes') return toBytes(response)
    if (kind === 'text') return response.text()
    if (body === undefined || status === 204) return response.text().then(() => undefined)
    return parseBody(await response.text(), response)
  }

/** The stream of an answer's body, for bytes that may be large. */
const toBytes = (response: Response): Bytes => ({
  mediaType: response.headers.get('content-type') ?? 'application/octet-stream',
  etag: response.headers.get('etag') ?? undefined,
  size: sizeOf(response),
  partial: response.status === 206,
  stream: response.body ?? new ReadableStream({ start: (controller) => controller.close() }),
})

const sizeOf = ({ headers }: Response): number | undefined => {
  const length = headers.get('content-length')
  return length === null ? undefined : Number(length)
}

const parseBody = (text: string, { url, status }: Response): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ConnectionError('unexpected', `${url} answered something else than JSON`, {
      url,
      status,
      cause,
    })
  }
}
