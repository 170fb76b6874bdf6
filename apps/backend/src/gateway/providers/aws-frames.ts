import { EventStreamCodec } from '@smithy/core/event-streams'

/** One message of an AWS event stream. */
export interface Frame {
  /** `:message-type`, `:event-type`, `:exception-type` and others, those that are text. */
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}

/** The largest message; the format allows for 16 MiB of payload, and the events of a model are small. */
const maxFrameBytes = 16 * 1024 * 1024
/** Length, length of the headers, and the checksum of both; the message has another one at its end. */
const preludeBytes = 12
const leastBytes = preludeBytes + 4

const codec = new EventStreamCodec(
  (input) => (typeof input === 'string' ? input : Buffer.from(input).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
)

/**
 * The messages of a body (`application/vnd.amazon.eventstream`), each as soon as it is whole; no more than one is kept.
 * Rejects for what is no such stream, has a wrong checksum, or ends within a message.
 */
export async function* frames(body: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let kept: Buffer[] = []
  let size = 0
  let wanted = preludeBytes
  for await (const chunk of body) {
    kept.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    size += chunk.length
    while (size >= wanted) {
      const bytes = kept.length === 1 ? (kept[0] as Buffer) : Buffer.concat(kept)
      const length = lengthOf(bytes)
      wanted = length
      kept = [bytes]
      if (size < length) break
      yield frameOf(bytes.subarray(0, length))
      kept = [bytes.subarray(length)]
      size -= length
      wanted = preludeBytes
    }
  }
  if (size > 0) throw new Error('The stream ended within a message')
}

const lengthOf = (bytes: Buffer): number => {
  const length = bytes.readUInt32BE(0)
  if (length < leastBytes || length > maxFrameBytes)
    throw new RangeError(`A message of ${length} bytes is not possible`)
  return length
}

const frameOf = (bytes: Buffer): Frame => {
  const { headers, body } = codec.decode(bytes)
  const texts = Object.entries(headers).flatMap(([name, { type, value }]) =>
    type === 'string' ? [[name, value] as const] : [],
  )
  return { headers: Object.fromEntries(texts), body }
}
