import type { IncomingMessage } from 'node:http'

/** A request that is larger than the door lets through. */
export class BodyTooLarge extends Error {}

/** All requests together are larger than what the door holds. */
export class TooMuchAtOnce extends Error {}

/** Counts what is held for one request; `take` is false when there is no room for so many bytes more. */
export interface BodyRoom {
  limit: number
  take(bytes: number): boolean
}

/** Reads a request's body as a whole, so that it can be sent again. Rejects with BodyTooLarge or TooMuchAtOnce. */
export const readBody = async (request: IncomingMessage, { limit, take }: BodyRoom): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new BodyTooLarge(`The request is larger than ${limit} bytes.`)
    if (!take(chunk.length)) throw new TooMuchAtOnce('Too many large model requests at once.')
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)
}
