import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { type EgressRequestHead, encodeHead } from '@berth/contract'
import { readBody } from './body.ts'
import type { EgressPlace } from './egress-place.ts'
import type { OnceBody } from './once-body.ts'
import type { Relayed } from './relay.ts'

/** A body up to this size is kept, so that it can be sent again; a larger one is streamed. */
const keptBytes = 256 * 1024

/** Asking twice for the same does no harm. */
const harmless = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A request of a program as the backend takes it: a head, then the body. */
export const egressRequest = async (
  request: IncomingMessage,
  { place, target, token }: { place: EgressPlace; target: string; token: string },
): Promise<Relayed> => {
  const { method = 'GET', rawHeaders } = request
  const length = lengthOf(request)
  const headers = rawHeaders.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name, rawHeaders[i + 1] ?? '']] : [],
  )
  const { scheme, authority } = place
  const head: EgressRequestHead = { scheme, authority, method, target, headers, length }
  const frame = Buffer.from(encodeHead(head))
  const isKept = length !== undefined && length <= keptBytes
  const body = isKept
    ? Buffer.concat([frame, await readBody(request, { limit: keptBytes, take: () => true })])
    : framed(frame, request)
  return {
    method: 'POST',
    path: '/runner/egress',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body,
    repeatable: harmless.has(method),
  }
}

/** Node’s parser has refused requests that say more than one thing about their length. */
const lengthOf = ({ headers }: IncomingMessage): number | undefined => {
  if (headers['transfer-encoding'] !== undefined) return undefined
  return Number(headers['content-length'] ?? 0)
}

/** The head, then a body as it comes; it counts as taken when something of the body was. */
const framed = (frame: Buffer, source: Readable): OnceBody => {
  let taken = false
  async function* read(): AsyncGenerator<Buffer> {
    yield frame
    taken = true
    yield* source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  }
  return {
    open: () => Readable.from(read(), { objectMode: false, highWaterMark: 64 * 1024 }),
    get taken() {
      return taken
    },
  }
}
