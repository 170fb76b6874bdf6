import { finished } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FoundContent } from '../files/session-files.ts'
import { isKnown, rangeOf } from './ranges.ts'

export interface ContentCall {
  request: FastifyRequest
  reply: FastifyReply
  /** What a browser should call it. */
  name: string
  type: string
  /** What it came from, for readers that ask. */
  headers?: Record<string, string>
}

/** Sends bytes as a download, or the range that is asked for; never as a page, whatever they are. */
export const sendContent = async (found: FoundContent, call: ContentCall): Promise<FastifyReply> => {
  const { request, reply, name, type } = call
  const { size, open, release } = found
  const forget = () =>
    void release().catch((error) => request.log.warn({ err: error }, 'Bytes were left over'))
  try {
    const etag = found.etag === undefined ? undefined : `"${found.etag}"`
    reply.headers({
      'cache-control': 'private, no-cache',
      ...call.headers,
      ...(etag === undefined ? {} : { etag }),
    })
    if (etag !== undefined && isKnown(request, etag)) {
      forget()
      return reply.code(304).send()
    }
    if (size !== undefined) reply.header('accept-ranges', 'bytes')
    const range = size === undefined ? undefined : rangeOf(request, size, etag)
    reply.headers({ 'content-type': type, 'content-disposition': disposition(name) })
    if (range !== undefined)
      reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`)
    else reply.code(200)
    const length = range === undefined ? size : range.end - range.start + 1
    if (length !== undefined) reply.header('content-length', length)
    const content = open(range)
    finished(content, forget)
    return reply.send(content)
  } catch (error) {
    forget()
    throw error
  }
}

/** `attachment`, with the name as ASCII for old readers, and as it is. */
const disposition = (name: string): string => {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const exact = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}

/** Aborts when the reader goes before it was answered. */
export const whenGone = (reply: FastifyReply): AbortSignal => {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return gone.signal
}
