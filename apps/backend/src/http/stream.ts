import { once } from 'node:events'
import type { ErrorCode } from '@berth/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Tail, TailLine } from '../events/tail.ts'

const heartbeatMs = 15_000

/** The open streams of this process: they get heartbeats together, and are told to reconnect when it drains. */
export class Streams {
  readonly #open = new Map<FastifyReply, Open>()
  readonly #timer: NodeJS.Timeout
  #draining = false

  constructor() {
    this.#timer = setInterval(() => {
      for (const reply of this.#open.keys()) if (!reply.raw.writableNeedDrain) reply.raw.write(': hb\n\n')
    }, heartbeatMs)
    this.#timer.unref()
  }

  get count() {
    return this.#open.size
  }

  /**
   * Answers with server-sent events: the lines after a place, then what comes, until the reader goes or `ended` says
   * why it is over. A reader that does not read holds nothing but its socket's buffer.
   */
  async serve(call: { request: FastifyRequest; reply: FastifyReply }, source: StreamSource): Promise<void> {
    const { reply, request } = call
    const stop = new AbortController()
    reply.hijack()
    const response = reply.raw
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': request.id,
    })
    response.flushHeaders()
    response.on('close', () => stop.abort())
    const open: Open = { key: source.key, stop, end: undefined }
    this.#open.set(reply, open)
    if (this.#draining) stop.abort()
    try {
      for await (const lines of source.tail.follow(source.key, source.after, stop.signal)) {
        if (!response.write(frames(lines))) await once(response, 'drain', { signal: stop.signal })
      }
      if (!response.writableEnded && !response.destroyed) response.end(lastWords(open.end))
    } catch (error) {
      if (!stop.signal.aborted) request.log.warn({ err: error }, 'A stream ended early')
      response.end()
    } finally {
      this.#open.delete(reply)
    }
  }

  /** Tells every reader to come back in a moment, to this or another backend. */
  drain(): void {
    this.#draining = true
    clearInterval(this.#timer)
    for (const { stop } of this.#open.values()) stop.abort()
  }

  /** Ends the streams of a key for good, e.g. because the session was purged. */
  end(key: string, reason: StreamEnd): void {
    for (const open of this.#open.values())
      if (open.key === key) {
        open.end = reason
        open.stop.abort()
      }
  }
}

/** Why a stream is over for good. */
export interface StreamEnd {
  code: ErrorCode
  detail: string
}

interface Open {
  key: string
  stop: AbortController
  end: StreamEnd | undefined
}

const lastWords = (end: StreamEnd | undefined): string =>
  end === undefined
    ? 'event: reconnect\nretry: 1000\ndata: {}\n\n'
    : `event: end\ndata: ${JSON.stringify(end)}\n\n`

export interface StreamSource {
  tail: Tail
  key: string
  after: number
}

const frames = (lines: TailLine[]): string => {
  let text = ''
  for (const { position, json } of lines) text += `id: ${position}\ndata: ${json}\n\n`
  return text
}

export const wantsStream = (request: FastifyRequest): boolean =>
  (request.headers.accept ?? '').includes('text/event-stream')

/** Where a stream goes on: what the browser remembers counts before what the page first asked for. */
export const resumeAt = (request: FastifyRequest, after: number): number => {
  const header = request.headers['last-event-id']
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : after
}
