import type { IncomingMessage } from 'node:http'

/** A body larger than the limit. */
export class BodyTooLarge extends Error {}

/**
 * Reads a whole body.
 * @throws {BodyTooLarge} as soon as it is known to be larger than `limit` bytes.
 */
export async function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > limit) throw new BodyTooLarge()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    if (size > limit) throw new BodyTooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
