import type { Route } from '@berth/contract'
import { toRequest } from './call.ts'
import { ConnectionError } from './errors.ts'
import { sendOnce, type Transport } from './transport.ts'

/** A route that streams, and whose stream it is. */
export interface StreamSource {
  transport: Transport
  row: Route
  params?: Record<string, string> | undefined
}

/** Opens an SSE connection that sends what comes after a place. The time-out holds until the answer begins. */
export const openStream = (
  { transport, row, params }: StreamSource,
  after: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> => {
  const request = toRequest(transport, row, { params, query: { after }, signal })
  const headers = { ...request.headers, accept: 'text/event-stream', 'last-event-id': String(after) }
  return sendOnce(transport, { ...request, headers }, async (response) => bodyOf(response, request.url))
}

const bodyOf = (response: Response, url: string): ReadableStream<Uint8Array> => {
  const type = response.headers.get('content-type') ?? ''
  if (response.body !== null && type.startsWith('text/event-stream')) return response.body
  throw new ConnectionError('unexpected', `${url} answered ${type || 'nothing'} instead of a stream`, {
    url,
    status: response.status,
  })
}
