import type { Readable } from 'node:stream'
import { BerthError } from '@berth/contract'

export interface MeteredOptions {
  maxBytes: number
  /** Milliseconds without progress. */
  idleMs: number
  /** In words that fit after "larger than". */
  what: string
}

/** Passes a stream on as it is read, and breaks off when it is too large or stands still. */
export async function* metered(
  stream: Readable,
  { maxBytes, idleMs, what }: MeteredOptions,
): AsyncGenerator<Buffer> {
  const timer = setTimeout(
    () => stream.destroy(new BerthError('git_failed', `Nothing came for ${idleMs / 1000} seconds.`)),
    idleMs,
  )
  let size = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      timer.refresh()
      size += chunk.length
      if (size > maxBytes)
        throw new BerthError('too_large', `This is larger than the ${maxBytes} bytes that ${what} may have.`)
      yield chunk
      timer.refresh()
    }
  } finally {
    clearTimeout(timer)
  }
}
