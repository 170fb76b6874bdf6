import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { apiErrorBody } from './api-error.ts'
import type { Reply } from './reply.ts'
import { replyEvents, wireEvent } from './reply-events.ts'
import type { Pace } from './scenario-schema.ts'
import type { Pauses, Strike } from './strike.ts'

/** How an exchange ended, as seen from the server. */
export type Outcome = 'answered' | 'failed' | 'cut' | 'abandoned'

/** One answer and the way it is to be sent. */
export interface Sending {
  reply: Reply
  stream: boolean
  piece: Pace['piece']
  pauses: Pauses
  strike: Strike | undefined
  requestId: string
  /** Aborted when the client is gone. */
  gone: AbortSignal
}

/** Sends an error answer as the API does. */
export function sendError(
  res: ServerResponse,
  error: { status: number; requestId: string; message?: string | undefined; retryAfter?: number | undefined },
): Outcome {
  const body = JSON.stringify(apiErrorBody(error.status, error.requestId, error.message))
  const retry = error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }
  const limited = error.status === 429 ? { 'anthropic-ratelimit-requests-remaining': '0' } : {}
  res.writeHead(error.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'request-id': error.requestId,
    'x-should-retry': String(error.status === 429 || error.status >= 500),
    ...retry,
    ...limited,
  })
  res.end(body)
  return 'failed'
}

async function untilGone(gone: AbortSignal): Promise<Outcome> {
  if (!gone.aborted) await once(gone, 'abort')
  return 'abandoned'
}

/** Writes, waiting while the client reads more slowly than the answer comes. */
async function write(res: ServerResponse, text: string, gone: AbortSignal): Promise<void> {
  if (res.write(text) || gone.aborted) return
  await once(res, 'drain', { signal: gone })
}

async function cut(res: ServerResponse, text: string): Promise<Outcome> {
  await new Promise<void>((resolve) => res.write(text, () => resolve()))
  res.destroy()
  return 'cut'
}

/** Carries a strike out in mid-stream, after what was held back so far. */
function strikeStream(res: ServerResponse, held: string, sending: Sending): Promise<Outcome> | Outcome {
  const { strike, gone } = sending
  if (strike?.kind === 'cut') return cut(res, held)
  if (strike?.kind === 'stream_error') {
    const error = {
      type: 'error',
      error: { type: strike.error, message: strike.message },
      request_id: sending.requestId,
    }
    res.end(held + wireEvent(error))
    return 'failed'
  }
  res.write(held)
  return untilGone(gone)
}

const flushAt = 64 * 1024

async function sendStream(res: ServerResponse, sending: Sending): Promise<Outcome> {
  const { pauses, strike, gone } = sending
  const strikeAfter = strike && strike.kind !== 'status' ? (strike.after ?? 0) : Number.POSITIVE_INFINITY
  res.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'request-id': sending.requestId,
  })
  let held = ''
  let deltas = 0
  for (const event of replyEvents(sending.reply, sending.piece)) {
    if (event.delta && deltas++ >= strikeAfter) return strikeStream(res, held, sending)
    const slow = event.delta && pauses.each > 0
    if (held !== '' && (slow || held.length > flushAt)) {
      await write(res, held, gone)
      held = ''
    }
    if (slow) await pause(pauses.each, undefined, { signal: gone })
    held += event.wire
  }
  if (strikeAfter !== Number.POSITIVE_INFINITY) return strikeStream(res, held, sending)
  res.end(held)
  return 'answered'
}

function sendWhole(res: ServerResponse, sending: Sending): Promise<Outcome> | Outcome {
  const { strike, requestId } = sending
  if (strike?.kind === 'stream_error')
    return sendError(res, { status: 529, requestId, message: strike.message })
  if (strike?.kind === 'stall') return untilGone(sending.gone)
  const body = JSON.stringify(sending.reply)
  res.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'request-id': requestId,
  })
  if (strike?.kind === 'cut') return cut(res, body.slice(0, Math.floor(body.length / 2)))
  res.end(body)
  return 'answered'
}

/** Sends an answer, streaming or whole, with its pace and its fault. Never rejects when the client leaves. */
export async function sendReply(res: ServerResponse, sending: Sending): Promise<Outcome> {
  const { strike, pauses, gone, stream } = sending
  try {
    if (pauses.first > 0) await pause(pauses.first, undefined, { signal: gone })
    if (strike?.kind === 'status') return sendError(res, { ...strike, requestId: sending.requestId })
    if (strike?.kind === 'stall' && strike.after === undefined) return await untilGone(gone)
    return await (stream ? sendStream(res, sending) : sendWhole(res, sending))
  } catch (error) {
    if (gone.aborted) return 'abandoned'
    throw error
  }
}
