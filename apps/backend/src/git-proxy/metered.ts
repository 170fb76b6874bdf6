import { pipeline, type Readable, Transform } from 'node:stream'
import { BerthError } from '@berth/contract'
import { passedOn } from '../outbound/passing-bytes.ts'

export interface MeteredOptions {
  maxBytes: number
  /** Milliseconds without progress. */
  idleMs: number
  /** In words that fit after "larger than". */
  what: string
}

/**
 * Passes a stream on, and breaks off when it is too large or stands still. A transform, because what reads a stream by iterating
 * over it has all that waits copied together.
 */
export const metered = (stream: Readable, { maxBytes, idleMs, what }: MeteredOptions): Readable => {
  let size = 0
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh()
      size += chunk.length
      passedOn(chunk.length)
      if (size <= maxBytes) return done(null, chunk)
      done(new BerthError('too_large', `This is larger than the ${maxBytes} bytes that ${what} may have.`))
    },
  })
  const timer = setTimeout(
    () => meter.destroy(new BerthError('git_failed', `Nothing came for ${idleMs / 1000} seconds.`)),
    idleMs,
  )
  // Whoever reads the meter learns of an error there.
  return pipeline(stream, meter, () => clearTimeout(timer))
}
