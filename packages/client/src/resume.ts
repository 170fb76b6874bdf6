import type { Ambient } from './ambient.ts'
import { ApiError, ConnectionError, codeOf, isApiError, isConnectionError } from './errors.ts'
import { linkAbort } from './linked-abort.ts'
import { backoffMs, type RetryPolicy } from './retry.ts'
import { readSse } from './sse.ts'

/** What a stream tells beside its items, for a display: is it live, or does it try to be? */
export type StreamState =
  | { state: 'connected' }
  | { state: 'reconnecting'; failures: number; delayMs: number; error: Error | undefined }

/** How a stream of items with increasing places is read and gone on with. */
export interface ResumeOptions<T> {
  url: string
  /** The place up to which the reader has everything. */
  after: number
  /** Opens a connection that sends what comes after the place. */
  connect(after: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>
  parse(value: unknown): T
  place(item: T): number
  /** The item sets the place, also backwards. Default: never. */
  resets?(item: T): boolean
  silenceMs: number
  retry: RetryPolicy
  ambient: Ambient
  signal?: AbortSignal | undefined
  onState?: ((state: StreamState) => void) | undefined
}

/**
 * Items in order, each exactly once, through any number of disconnects. Returns when `signal` aborts; throws when the
 * backend refuses for good (4xx) or ends the stream, e.g. because a right was revoked. Otherwise goes on for ever.
 */
export async function* resumeStream<T>(options: ResumeOptions<T>): AsyncGenerator<T, void, undefined> {
  const { ambient, retry } = options
  const abort = linkAbort(options.signal)
  const progress: Progress = { after: options.after, failures: 0, retryMs: 0 }
  try {
    while (!abort.signal.aborted) {
      let error: Error | undefined
      try {
        yield* readConnection(options, progress, abort.signal)
      } catch (caught) {
        if (abort.signal.aborted) return
        error = orThrowFinal(caught)
      }
      if (abort.signal.aborted) return
      const failures = ++progress.failures
      const asked = progress.retryMs * (0.5 + ambient.random() / 2)
      const delayMs = Math.max(backoffMs(failures, retry, ambient.random()), asked)
      options.onState?.({ state: 'reconnecting', failures, delayMs, error })
      await ambient.sleep(delayMs, abort.signal)
    }
  } finally {
    abort.abort()
    abort.unlink()
  }
}

interface Progress {
  after: number
  /** Connections that ended since the last sign of life. */
  failures: number
  /** What the backend asked to wait before the next connection; shortened at random, so that not all readers of a drained backend come back in the same millisecond. */
  retryMs: number
}

async function* readConnection<T>(
  options: ResumeOptions<T>,
  progress: Progress,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const { url, silenceMs, ambient } = options
  progress.retryMs = 0
  const body = await options.connect(progress.after, signal)
  options.onState?.({ state: 'connected' })
  const onRetry = (ms: number) => {
    progress.retryMs = Math.min(ms, options.retry.maxRetryAfterMs)
  }
  const onHeartbeat = () => {
    progress.failures = 0
  }
  for await (const message of readSse(body, { url, silenceMs, ambient, signal, onRetry, onHeartbeat })) {
    if (message.event === 'reconnect') return
    if (message.event === 'end') throw endOf(message.data)
    if (message.event !== undefined && message.event !== 'message') continue
    const item = parseItem(options, message.data)
    const place = options.place(item)
    if (options.resets?.(item) !== true && place <= progress.after) continue
    progress.after = place
    progress.failures = 0
    yield item
  }
}

const parseItem = <T>({ parse, url }: ResumeOptions<T>, data: string): T => {
  try {
    return parse(JSON.parse(data))
  } catch (cause) {
    throw new ConnectionError('unexpected', `${url} sent something that is not an event of Berth`, {
      url,
      cause,
    })
  }
}

const endOf = (data: string): ApiError => {
  try {
    const { code, detail } = JSON.parse(data)
    return new ApiError(codeOf(code, 403), typeof detail === 'string' ? detail : 'The stream was ended.')
  } catch {
    return new ApiError('forbidden', 'The stream was ended.')
  }
}

/** Passes on what may go away by itself; throws what won't. */
const orThrowFinal = (error: unknown): Error => {
  if (isConnectionError(error) && (error.kind !== 'unexpected' || (error.status ?? 0) >= 500)) return error
  if (isApiError(error) && (error.status >= 500 || error.status === 429)) return error
  throw error
}
