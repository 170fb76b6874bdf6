import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { Ambient } from './ambient.ts'
import { ConnectionError, isConnectionError } from './errors.ts'
import { linkAbort } from './linked-abort.ts'

/** Longest event in characters; a stream that sends more at once isn't Berth's. */
const maxEvent = 64 * 1024 * 1024

export interface SseOptions {
  url: string
  /** Silence in milliseconds after which the connection counts as dead. Heartbeats break the silence. */
  silenceMs: number
  ambient: Ambient
  /** Ends the reading. */
  signal: AbortSignal
  onRetry: (ms: number) => void
  onHeartbeat: () => void
}

/**
 * The messages of one SSE connection. The next piece is read only when the ones before were taken, so the consumer's
 * pace is the sender's. Ends with the connection; throws when it breaks or falls silent. Cancels the body at the end.
 */
export async function* readSse(
  body: ReadableStream<Uint8Array>,
  options: SseOptions,
): AsyncGenerator<EventSourceMessage> {
  const ready: EventSourceMessage[] = []
  let fault: Error | undefined
  const parser = createParser({
    onEvent: (message) => ready.push(message),
    onRetry: options.onRetry,
    onComment: options.onHeartbeat,
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') fault = error
    },
    maxBufferSize: maxEvent,
  })
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    while (true) {
      const chunk = await readOrGiveUp(reader, options)
      if (chunk === undefined || chunk.done) return
      parser.feed(decoder.decode(chunk.value, { stream: true }))
      if (fault !== undefined) throw protocolError(options.url, fault)
      yield* ready.splice(0)
    }
  } finally {
    // A body that broke rejects here too; what matters was thrown already.
    await reader.cancel().catch(() => undefined)
  }
}

const readOrGiveUp = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { url, silenceMs, ambient, signal }: SseOptions,
) => {
  const waiting = linkAbort(signal)
  const silence = ambient.sleep(silenceMs, waiting.signal).then(() => 'silence' as const)
  try {
    const first = await Promise.race([reader.read(), silence])
    if (signal.aborted) return undefined
    if (first !== 'silence') return first
    throw new ConnectionError('timeout', `The stream was silent for ${silenceMs / 1000} s`, { url })
  } catch (cause) {
    if (isConnectionError(cause)) throw cause
    throw new ConnectionError('broken', 'The connection of the stream broke', { url, cause })
  } finally {
    waiting.abort()
    waiting.unlink()
  }
}

const protocolError = (url: string, cause: unknown) =>
  new ConnectionError('unexpected', 'The stream sent something that is not an event of Berth', { url, cause })
