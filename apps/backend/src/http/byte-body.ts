import { finished, PassThrough, type Readable } from 'node:stream'
import { BerthError } from '@berth/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Lets an app take bodies of any media type, which are passed on as they arrive. */
export const takeBytes = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
}

/** Hands the bytes of a request's body on as a stream; it fails when the body was not sent to its end. */
export const withBody = async <T>(
  request: FastifyRequest,
  use: (content: Readable) => Promise<T>,
): Promise<T> => {
  // A copy, so that one who gives up does not cut the connection before the answer is sent.
  const copy = new PassThrough()
  const content = request.body === undefined ? copy.end() : (request.body as Readable).pipe(copy)
  const forget = finished(request.raw, { writable: false }, (error) => {
    if (error) copy.destroy(new BerthError('invalid_input', 'The body was not sent to its end.'))
  })
  try {
    return await use(content)
  } finally {
    forget()
  }
}

/** A stream that fails with `too_large` when it has more bytes. */
export async function* bounded(content: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let size = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes)
      throw new BerthError(
        'too_large',
        `The body is larger than the ${maxBytes} bytes that may be sent here.`,
      )
    yield chunk
  }
}
