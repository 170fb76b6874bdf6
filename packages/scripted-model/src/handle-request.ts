import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AnswerSettings, answerMessages } from './answer-messages.ts'
import { type IdMaker, idsFor } from './ids.ts'
import { limits } from './limits.ts'
import { InvalidRequest, readMessagesRequest } from './messages-request.ts'
import { modelList, modelPage } from './models.ts'
import { BodyTooLarge, readBody } from './read-body.ts'
import { type OpenRecord, publicHeaders, type RequestRecord, readCredential } from './request-record.ts'
import { type Outcome, sendError } from './send-reply.ts'
import { estimateTokens } from './usage.ts'

/** What the handler of one scripted model works with. */
export interface HandlerContext {
  settings: AnswerSettings
  record: RequestRecord
  /** The number of this request on this model, from 1. */
  serial: number
}

interface Arrival {
  req: IncomingMessage
  res: ServerResponse
  entry: OpenRecord
  raw: Buffer
  ids: IdMaker
  context: HandlerContext
}

function sendJson(res: ServerResponse, body: object, requestId: string): Outcome {
  const text = JSON.stringify(body)
  res.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'request-id': requestId,
  })
  res.end(text)
  return 'answered'
}

function parseJson(raw: Buffer): unknown {
  if (raw.length === 0) return undefined
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch {
    return undefined
  }
}

function messages(arrival: Arrival): Promise<Outcome> {
  const { res, entry, raw, ids, context } = arrival
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  return answerMessages(context.settings, {
    res,
    raw,
    body: entry.body,
    ids,
    gone: gone.signal,
    chosen: (scenario) => context.record.update(entry, { scenario }),
  })
}

function countTokens({ res, entry, raw, ids }: Arrival): Outcome {
  readMessagesRequest(entry.body, { counting: true })
  return sendJson(res, { input_tokens: estimateTokens(raw.length) }, ids('req'))
}

function model(arrival: Arrival, id: string): Outcome {
  const found = modelList.find((one) => one.id === id)
  if (found) return sendJson(arrival.res, found, arrival.ids('req'))
  return sendError(arrival.res, {
    status: 404,
    requestId: arrival.ids('req'),
    message: `model: ${id.slice(0, 200)}`,
  })
}

function route(arrival: Arrival): Promise<Outcome> | Outcome {
  const { req, res, ids, entry, raw } = arrival
  const path = (req.url ?? '/').split('?', 1)[0] ?? '/'
  const reads = req.method === 'GET' || req.method === 'HEAD'
  if (req.method === 'POST' && path.startsWith('/v1/messages') && entry.body === undefined) {
    throw new InvalidRequest(raw.length === 0 ? 'The body is empty' : 'The request body is not valid JSON')
  }
  if (req.method === 'POST' && path === '/v1/messages') return messages(arrival)
  if (req.method === 'POST' && path === '/v1/messages/count_tokens') return countTokens(arrival)
  if (reads && path === '/v1/models') return sendJson(res, modelPage, ids('req'))
  if (reads && path.startsWith('/v1/models/')) return model(arrival, path.slice('/v1/models/'.length))
  // Claude Code and load balancers look whether anybody is there.
  if (reads && path === '/') return sendJson(res, { type: 'scripted_model' }, ids('req'))
  return sendError(res, {
    status: 404,
    requestId: ids('req'),
    message: `No such endpoint: ${req.method} ${path}`,
  })
}

function failure(res: ServerResponse, error: unknown, requestId: string): Outcome {
  if (error instanceof InvalidRequest)
    return sendError(res, { status: 400, requestId, message: error.message })
  if (res.headersSent) res.destroy()
  else if (!res.destroyed) sendError(res, { status: 500, requestId })
  return 'failed'
}

function refuseLarge(req: IncomingMessage, res: ServerResponse, requestId: string): Outcome {
  res.setHeader('connection', 'close')
  sendError(res, {
    status: 413,
    requestId,
    message: `Request exceeds the maximum size of ${limits.bodyBytes} bytes`,
  })
  // Reading on would let a client send for ever.
  res.once('finish', () => req.destroy())
  return 'failed'
}

function openRecord(req: IncomingMessage, body: unknown): OpenRecord {
  const model = typeof body === 'object' && body !== null && 'model' in body ? String(body.model) : ''
  return {
    time: new Date(),
    method: req.method ?? '',
    path: req.url ?? '/',
    model,
    headers: publicHeaders(req.headers),
    credential: readCredential(req.headers),
    body,
    scenario: undefined,
    outcome: 'open',
  }
}

/** Reads, records and answers one request. Never rejects; an unexpected error becomes a 500. */
export async function handleRequest(
  req: IncomingMessage,
  res: ServerResponse,
  context: HandlerContext,
): Promise<OpenRecord> {
  let raw: Buffer
  try {
    raw = await readBody(req, limits.bodyBytes)
  } catch (error) {
    const entry = openRecord(req, undefined)
    context.record.add(entry, 0)
    const requestId = idsFor(Buffer.alloc(0), context.serial)('req')
    const outcome = error instanceof BodyTooLarge ? refuseLarge(req, res, requestId) : 'abandoned'
    context.record.update(entry, { outcome })
    return entry
  }
  const ids = idsFor(raw, context.serial)
  const entry = openRecord(req, parseJson(raw))
  context.record.add(entry, raw.length)
  let outcome: Outcome
  try {
    outcome = await route({ req, res, entry, raw, ids, context })
  } catch (error) {
    outcome = failure(res, error, ids('req'))
  }
  context.record.update(entry, { outcome })
  return entry
}
