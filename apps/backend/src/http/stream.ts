import type { ServerResponse } from 'node:http'
import { BerthError, type ErrorCode, isBerthError } from '@berth/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isFor, type Reader } from '../auth/session-role.ts'
import type { Tail, TailLine } from '../events/tail.ts'
import { type Guard, Guards } from './stream-guard.ts'

const defaultHeartbeatMs = 10_000
/** How long a reader that does not read may keep a stream that is over. */
const lingerMs = 2000

/** Why a stream is over for good. */
export interface StreamEnd {
  code: ErrorCode
  detail: string
}

export interface StreamSource {
  tail: Tail
  key: string
  after: number
  /** Ends the stream when its reader may not have it any more. Default: only what is gone ends it. */
  guard?: Guard
  /** Who reads, where lines have an audience. Default: lines are for everybody who may read the stream. */
  reader?: Reader
}

interface Open {
  key: string
  stop: AbortController
  response: ServerResponse
  end: StreamEnd | undefined
}

/** The open streams of this process: they get heartbeats together, and are told to reconnect when it drains. */
export class Streams {
  readonly #open = new Set<Open>()
  readonly #timer: NodeJS.Timeout
  readonly #guards: Guards
  #draining = false

  /**
   * `heartbeatMs`: silence after which a reader is told that the stream lives. Default: 10,000. `recheckMs`: after which its
   * rights are asked for again. Default: 3000.
   */
  constructor({
    heartbeatMs = defaultHeartbeatMs,
    recheckMs,
  }: { heartbeatMs?: number; recheckMs?: number } = {}) {
    this.#guards = new Guards({ everyMs: recheckMs })
    this.#timer = setInterval(() => this.#beat(), heartbeatMs)
    this.#timer.unref()
  }

  get count() {
    return this.#open.size
  }

  /**
   * Answers with server-sent events: the lines after a place, then what comes, until the reader goes or the stream is
   * over. A reader that does not read holds nothing but its socket's buffer.
   */
  async serve({ request, reply }: { request: FastifyRequest; reply: FastifyReply }, source: StreamSource) {
    reply.hijack()
    const response = reply.raw
    // The reader went while its request was checked: nothing would tell so again.
    if (response.destroyed) return
    const stop = new AbortController()
    const open: Open = { key: source.key, stop, response, end: undefined }
    response.on('error', () => stop.abort())
    response.on('close', () => stop.abort())
    begin(response, request.id)
    this.#open.add(open)
    const unguard = this.#guard(open, source.guard)
    if (this.#draining) stop.abort()
    try {
      for await (const lines of source.tail.follow(source.key, source.after, stop.signal)) {
        const text = frames(lines, source.reader)
        if (text !== '' && !response.write(text)) await drained(response, stop.signal)
      }
    } catch (error) {
      open.end ??= endOf(error)
      if (open.end === undefined) request.log.warn({ err: error }, 'A stream was cut; its reader comes back')
    } finally {
      unguard()
      this.#open.delete(open)
    }
    finish(response, open.end)
  }

  /** Tells every reader to come back in a moment, to this or another backend. */
  drain(): void {
    this.#draining = true
    clearInterval(this.#timer)
    this.#guards.stop()
    for (const { stop } of this.#open) stop.abort()
  }

  /** Rights have changed here: they are asked for now, and not only in a while. */
  recheck(): void {
    this.#guards.recheck()
  }

  /** Cuts an answer off, such as a long download, when its reader may not have it any more. */
  watch(response: ServerResponse, guard: Guard): void {
    if (response.destroyed) return
    const cut = () => void response.destroy()
    const unguard = this.#guards.add({ guard, revoked: cut, unknown: cut })
    response.once('close', unguard)
  }

  #guard(open: Open, guard: Guard | undefined): () => void {
    if (guard === undefined) return () => undefined
    return this.#guards.add({
      guard,
      revoked: (reason) => {
        open.end ??= reason
        open.stop.abort()
      },
      // Whoever comes back is asked who they are, by a backend that can find out.
      unknown: () => open.stop.abort(),
    })
  }

  /** Ends the streams of a key for good, e.g. because the session was purged. */
  end(key: string, reason: StreamEnd): void {
    for (const open of this.#open)
      if (open.key === key) {
        open.end = reason
        open.stop.abort()
      }
  }

  #beat(): void {
    for (const { response } of this.#open) if (!response.writableNeedDrain) response.write(': hb\n\n')
  }
}

const begin = (response: ServerResponse, requestId: string): void => {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    // A stream has its connection for itself: none stays behind when it ends.
    connection: 'close',
  })
  response.flushHeaders()
}

/** Says why the stream is over, and does not wait for long until that was read. */
const finish = (response: ServerResponse, end: StreamEnd | undefined): void => {
  if (response.destroyed) return
  response.end(lastWords(end))
  const timer = setTimeout(() => response.destroy(), lingerMs)
  timer.unref()
  response.once('close', () => clearTimeout(timer))
}

/** Resolves when more may be written, or nothing any more. */
const drained = (response: ServerResponse, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    response.on('drain', done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })

/** What is gone for good ends a stream; after anything else its reader comes back. */
const endOf = (error: unknown): StreamEnd | undefined =>
  isBerthError(error) && error.code.endsWith('_not_found')
    ? { code: error.code, detail: error.message }
    : undefined

const lastWords = (end: StreamEnd | undefined): string =>
  end === undefined
    ? 'event: reconnect\nretry: 1000\ndata: {}\n\n'
    : `event: end\ndata: ${JSON.stringify(end)}\n\n`

const frames = (lines: TailLine[], reader: Reader | undefined): string => {
  let text = ''
  for (const { position, json, audience } of lines)
    if (reader === undefined || isFor(reader, audience)) text += `id: ${position}\ndata: ${json}\n\n`
  return text
}

export const wantsStream = ({ method, headers }: FastifyRequest): boolean =>
  method === 'GET' && (headers.accept ?? '').includes('text/event-stream')

/** Where a stream goes on: what the browser remembers counts before what the page first asked for. */
export const resumeAt = ({ headers }: FastifyRequest, after: number): number => {
  const header = headers['last-event-id']
  if (header === undefined || header === '') return after
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header)
  throw new BerthError('invalid_input', 'The Last-Event-ID is not one that this stream gave.', [
    { field: 'headers.last-event-id', message: 'expected the id of an event, a number' },
  ])
}
