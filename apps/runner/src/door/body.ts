import type { IncomingMessage } from 'node:http'

/** A request that is larger than the door lets through. */
export class BodyTooLarge extends Error {}

/** Reads a request's body as a whole, so that it can be sent again. Rejects with BodyTooLarge. */
export const readBody = async (request: IncomingMessage, limit: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new BodyTooLarge(`The request is larger than ${limit} bytes.`)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)
}
