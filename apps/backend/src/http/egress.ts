import { finished, PassThrough, pipeline, type Readable } from 'node:stream'
import {
  BadFrame,
  BerthError,
  type EgressRequestHead,
  egressRequestHead,
  encodeHead,
  HeadReader,
  runnerRoutes,
} from '@berth/contract'
import type { FastifyInstance } from 'fastify'
import { takeBytes } from './byte-body.ts'
import type { Deps } from './deps.ts'
import { type EndpointOptions, endpoint } from './endpoint.ts'
import { runnerOf } from './runner-of.ts'

/** The egress broker, for the door: head and body in one stream, both ways. */
export const egressEndpoints = (app: FastifyInstance, deps: Deps, options: EndpointOptions): void => {
  takeBytes(app)
  const serve = endpoint(app, options)

  serve(runnerRoutes.runnerEgress, async ({ request, reply }) => {
    const { head, body } = await readHead(request.body as Readable | undefined)
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const answer = await deps.egress.answer({ runner: runnerOf(request), head, body, gone: gone.signal })
    const framed = new PassThrough()
    framed.write(encodeHead(answer.head))
    // Whoever reads it learns of an error there.
    pipeline(answer.body, framed, () => undefined)
    return reply.code(200).header('content-type', 'application/octet-stream').send(framed)
  })
}

/** Reads the head; what comes behind it stays to be read. */
const readHead = async (
  content: Readable | undefined,
): Promise<{ head: EgressRequestHead; body: Readable }> => {
  const reader = new HeadReader<EgressRequestHead>(egressRequestHead)
  try {
    for await (const chunk of content?.iterator({ destroyOnReturn: false }) ?? []) {
      const taken = reader.take(chunk as Buffer)
      if (taken === undefined) continue
      const body = new PassThrough()
      body.write(taken.rest)
      return { head: taken.head, body: content === undefined ? body.end() : onward(content, body) }
    }
  } catch (error) {
    if (!(error instanceof BadFrame)) throw error
  }
  throw new BerthError('invalid_input', 'The body does not begin with the head of a request.')
}

/** A copy, so that one who gives up does not cut the connection before the answer is sent. */
const onward = (content: Readable, body: PassThrough): Readable => {
  finished(content, { writable: false }, (error) => {
    if (error) body.destroy(new BerthError('invalid_input', 'The body was not sent to its end.'))
  })
  return content.pipe(body)
}
