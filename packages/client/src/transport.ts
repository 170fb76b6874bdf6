import type { Ambient } from './ambient.ts'
import { ConnectionError, errorFromResponse } from './errors.ts'
import { linkAbort } from './linked-abort.ts'
import type { RetryPolicy } from './retry.ts'

type Token = string | undefined

/** What every request of a client shares. */
export interface Transport {
  baseUrl: string
  token: (() => Token | Promise<Token>) | undefined
  fetch: typeof globalThis.fetch
  headers: Record<string, string>
  timeoutMs: number
  retry: RetryPolicy
  ambient: Ambient
}

/** One request, ready to be sent (more than once, if need be). */
export interface HttpRequest {
  method: string
  url: string
  headers: Record<string, string>
  /** Made anew for each try: a stream can be read only once. */
  body?: () => string | Uint8Array | ReadableStream<Uint8Array>
  signal?: AbortSignal | undefined
  timeoutMs?: number | undefined
}

/**
 * Sends once and hands a good answer to `read`; the time-out covers both. Throws `ApiError`, `ConnectionError`, or the
 * reason of the caller's signal.
 */
export const sendOnce = async <T>(
  transport: Transport,
  request: HttpRequest,
  read: (response: Response) => Promise<T>,
): Promise<T> => {
  // One that has to be fetched first may fail in its own way.
  const given = transport.token?.()
  const token = given instanceof Promise ? await given : given
  const abort = linkAbort(request.signal)
  const done = new AbortController()
  const timeoutMs = request.timeoutMs ?? transport.timeoutMs
  let timedOut = false
  const watch = transport.ambient.sleep(timeoutMs, done.signal).then(() => {
    if (done.signal.aborted) return
    timedOut = true
    abort.abort()
  })
  try {
    const response = await transport.fetch(
      request.url,
      init(transport, request, { token, signal: abort.signal }),
    )
    if (response.ok) return await read(response)
    throw await errorFromResponse(response, request.url, transport.ambient.now())
  } catch (error) {
    if (timedOut) throw timeoutError(request.url, timeoutMs)
    throw asConnectionError(error, request)
  } finally {
    done.abort()
    await watch
    abort.unlink()
  }
}

const init = (
  transport: Transport,
  request: HttpRequest,
  { token, signal }: { token: Token; signal: AbortSignal },
): RequestInit => {
  const body = request.body?.()
  const headers: Record<string, string> = { ...transport.headers, ...request.headers }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  const streamed = body instanceof ReadableStream ? { duplex: 'half' as const } : {}
  return {
    method: request.method,
    headers,
    signal,
    redirect: 'error',
    body: body as RequestInit['body'],
    ...streamed,
  }
}

const timeoutError = (url: string, ms: number) =>
  new ConnectionError('timeout', `${originOf(url)} did not answer within ${ms / 1000} s`, { url })

/** What `fetch` throws says little and differs from browser to browser. */
const asConnectionError = (error: unknown, request: Pick<HttpRequest, 'url' | 'signal'>): unknown => {
  if (request.signal?.aborted === true) return request.signal.reason
  if (!(error instanceof TypeError) && !isNetworkError(error)) return error
  const { url } = request
  const why = networkReason(error)
  const message = `Berth can't be reached at ${originOf(url)}${why === '' ? '' : ` (${why})`}`
  return new ConnectionError(/terminated|aborted/.test(String(error)) ? 'broken' : 'unreachable', message, {
    url,
    cause: error,
  })
}

const isNetworkError = (error: unknown) =>
  error instanceof Error && ('code' in error || error.name === 'NetworkError') && !('brand' in error)

const networkReason = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return String(cause.code)
  return error instanceof Error ? error.message : ''
}

const originOf = (url: string): string => /^[a-z]+:\/\/[^/?#]+/i.exec(url)?.[0] ?? 'this address'
