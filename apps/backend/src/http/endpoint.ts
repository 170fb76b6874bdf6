import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import {
  BerthError,
  type FieldError,
  isBerthError,
  limits,
  type Route,
  takesIdempotencyKey,
} from '@berth/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Principal } from '../auth/principal.ts'
import type { AuditDraft } from '../store/audit-store.ts'
import type { Idempotency, Store } from '../store/port.ts'
import type { AuditNote, RequestAudits } from './audit.ts'
import type { CountRequest } from './rate-limits.ts'
import type { Guard } from './stream-guard.ts'

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined

type Field<R, K extends keyof Route> = R extends { [key in K]: infer S } ? Parsed<S> : undefined

/** What a handler gets: the request, checked against its row. */
export interface Call<R extends Route> {
  params: Field<R, 'params'>
  query: Field<R, 'query'>
  body: Field<R, 'body'>
  principal: Principal
  /** Present when the caller sent a key. */
  idempotency: Idempotency | undefined
  /** The version of `If-Match`; 0 where the row has none. */
  version: number
  /** Says again, for an answer that goes on, whether the caller may still have it. */
  guard: () => Guard
  request: FastifyRequest
  reply: FastifyReply
  /** The store whose changes record the request in the audit, for rows that are audited. Whatever changes something goes through it. */
  store: Store
  /** The request's entry in the audit, for `service.run` and the like; undefined for rows that leave none. */
  readonly audit: AuditDraft | undefined
  /** Says more about the entry, before something carries it: what a path doesn't name, never a secret. */
  note: (more: AuditNote) => void
}

/** Serialised JSON, or a value; undefined when the handler has answered itself, or the row has no body. */
export type Answer = string | object | undefined

export interface EndpointOptions {
  /** Rejects when the caller may not call the row; says who it is otherwise. */
  authorise: (request: FastifyRequest, row: Route) => Promise<Principal>
  /** Counts a request of somebody who is known, and rejects when there were too many. Default: nothing is counted. */
  count?: CountRequest
  audits: RequestAudits
  /** Without an entry in the audit. */
  store: Store
  /** Texts without the values of a project's secrets. Default: as they are. */
  hide?: (project: string, texts: string[]) => Promise<string[]>
  /** Cuts an answer of bytes off when the right to it is gone. Default: it goes on to its end. */
  watch?: (response: ServerResponse, guard: Guard) => void
  /** Checks answers against their schema: for tests, not for the hot path. */
  checkAnswers: boolean
}

/** Serves one row. A route without a row can't exist, because this is the only way to make one. */
export const endpoint =
  (app: FastifyInstance, options: EndpointOptions) =>
  <R extends Route>(row: R, handler: (call: Call<R>) => Promise<Answer>): void => {
    if (row.role === undefined) throw new Error(`${row.method} ${row.path} has no role`)
    app.route({
      method: row.method,
      url: row.path,
      bodyLimit: row.bodyLimit ?? limits.body,
      // Before the body is read: whoever may not call the row can make Berth neither read nor parse anything.
      onRequest: async (request, reply) => {
        const refusal = await options.authorise(request, row).then(
          (principal) => {
            request.principal = principal
            return undefined
          },
          (error: unknown) => ({ error }),
        )
        // Counted also when it is refused: whoever only tries is no better.
        const { principal } = request
        if (principal !== null) await options.count?.(row, { principal, request, reply })
        if (refusal === undefined) return
        await options.audits.refused(row, request, refusal.error)
        throw refusal.error
      },
      handler: async (request, reply) => {
        try {
          return await serveOne(row, options, { handler, request, reply })
        } catch (error) {
          await options.audits.refused(row, request, error)
          throw await shown(error, request, options)
        }
      },
    })
  }

/** What went wrong, without secrets: a server, a runner or a program may have said them. Told only to who may call the row. */
const shown = async (error: unknown, request: FastifyRequest, { hide }: EndpointOptions) => {
  const { project = request.runner?.project } = request.params as { project?: string }
  if (hide === undefined || project === undefined || !isBerthError(error)) return error
  const { code, fields = [], message, retryAfter } = error
  const [detail = '', ...messages] = await hide(project, [message, ...fields.map((field) => field.message)])
  const told = fields.map((field, i) => ({ ...field, message: messages[i] ?? '' }))
  return Object.assign(new BerthError(code, detail, error.fields && told), { retryAfter })
}

interface Serving<R extends Route> {
  handler: (call: Call<R>) => Promise<Answer>
  request: FastifyRequest
  reply: FastifyReply
}

const serveOne = async <R extends Route>(row: R, options: EndpointOptions, serving: Serving<R>) => {
  const { handler, request, reply } = serving
  const { principal } = request
  if (principal === null) throw new Error(`${row.method} ${row.path} was not authorised`)
  const entry = options.audits.open(row, request)
  const call = {
    ...parse(row, request),
    ...{ principal, request, reply },
    guard: () => guardOf(options, row, request),
    idempotency: idempotencyOf(row, request, principal),
    store: entry?.store ?? options.store,
    get audit() {
      return entry?.draft
    },
    note: (more: AuditNote) => entry?.note(more),
  } as Call<R>
  if (row.response.kind === 'bytes') options.watch?.(reply.raw, call.guard())
  const answer = await handler(call)
  await entry?.done()
  if (reply.sent || answer === reply) return reply
  reply.code(row.response.status)
  if (answer === undefined) return reply.send()
  if (options.checkAnswers) checkAnswer(row, answer)
  if (typeof answer === 'string' && row.response.kind !== 'text')
    reply.type('application/json; charset=utf-8')
  return reply.send(answer)
}

/** Who asks for the same with the same credential gets the same answer. */
const guardOf = ({ authorise }: EndpointOptions, row: Route, request: FastifyRequest): Guard => {
  const { authorization = '', cookie = '' } = request.headers
  const who = createHash('sha256').update(`${authorization}\n${cookie}`).digest('base64url')
  return {
    key: `${who} ${row.method} ${row.path} ${JSON.stringify(request.params)}`,
    check: async () => void (await authorise(request, row)),
  }
}

const parse = (row: Route, request: FastifyRequest) => {
  const fields: FieldError[] = []
  const read = (place: 'params' | 'query' | 'body') => {
    const result = row[place]?.safeParse(
      place === 'body' ? (request.body === undefined ? {} : request.body) : request[place],
    )
    for (const issue of result?.error?.issues ?? []) {
      const path = issue.path
        .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
        .join('')
      // Of a bad name in a map, the library tells what is wrong one level below.
      const { message } = issue.code === 'invalid_key' ? (issue.issues[0] ?? issue) : issue
      fields.push({ field: `${place === 'params' ? 'path' : place}${path}`, message })
    }
    return result?.data
  }
  const parsed = {
    params: read('params'),
    query: read('query'),
    body: read('body'),
    version: versionOf(row, request, fields),
  }
  if (fields.length > 0) {
    const names = fields.map(({ field, message }) => `${field}: ${message}`).join('; ')
    throw new BerthError(
      'invalid_input',
      `The request is not valid. ${names}`.slice(0, 2000),
      fields.slice(0, 50),
    )
  }
  return parsed
}

const versionOf = (row: Route, request: FastifyRequest, fields: FieldError[]): number => {
  if (row.ifMatch !== true) return 0
  const header = request.headers['if-match']
  if (header === undefined)
    throw new BerthError('precondition_required', 'Send the version that you read as `If-Match: "3"`.')
  const version = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header)?.[1]
  if (version === undefined)
    fields.push({ field: 'headers.if-match', message: 'expected a version such as "3"' })
  return Number(version ?? 0)
}

const idempotencyOf = (
  row: Route,
  request: FastifyRequest,
  principal: Principal,
): Idempotency | undefined => {
  const key = request.headers['idempotency-key']
  if (key === undefined || !takesIdempotencyKey(row)) return undefined
  if (typeof key !== 'string' || key.length === 0 || key.length > limits.idempotencyKey)
    throw new BerthError('invalid_input', 'The Idempotency-Key is not valid.', [
      { field: 'headers.idempotency-key', message: `expected 1 to ${limits.idempotencyKey} characters` },
    ])
  const hash = createHash('sha256')
    .update(JSON.stringify(request.body ?? null))
    .digest('hex')
  return { scope: `${principal.actor.kind}:${principal.actor.id} ${row.method} ${request.url}`, key, hash }
}

const checkAnswer = (row: Route, answer: string | object): void => {
  const { body, kind } = row.response
  if (body === undefined || kind === 'text' || kind === 'bytes') return
  body.parse(typeof answer === 'string' ? JSON.parse(answer) : answer)
}
