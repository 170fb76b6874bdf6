import { PassThrough, pipeline, Readable } from 'node:stream'
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
    const runner = runnerOf(request)
    const answer = await deps.egress.answer({ runner, head, body, gone: gone.signal })
    const { session, project } = runner
    const { scheme, authority, method } = head
    // Which hosts were reached is for operators to see; what is refused, the session and the audit tell.
    request.log.info({ session, project, scheme, authority, method, status: answer.head.status }, 'egress')
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
  // The request itself is left as it is when its reader gives up: there may be an answer to send on its connection.
  const pieces = content?.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer> | undefined
  try {
    for (;;) {
      const next = await pieces?.next()
      if (next === undefined || next.done === true) break
      const taken = reader.take(next.value)
      if (taken === undefined) continue
      return { head: taken.head, body: bytesOf(taken.rest, pieces) }
    }
  } catch (error) {
    if (!(error instanceof BadFrame)) throw error
  }
  const message = 'does not begin with the head of a request'
  throw new BerthError('invalid_input', `The body ${message}.`, [{ field: 'body', message }])
}

const bytesOf = (first: Uint8Array, pieces: AsyncIterator<Buffer> | undefined): Readable => {
  async function* read(): AsyncGenerator<Uint8Array> {
    if (first.length > 0) yield first
    if (pieces !== undefined) yield* { [Symbol.asyncIterator]: () => pieces }
  }
  return Readable.from(read(), { objectMode: false, highWaterMark: 64 * 1024 })
}
