import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import {
  BerthError,
  type ErrorCode,
  errorCatalogue,
  isBerthError,
  type Route,
  toProblem,
} from '@berth/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { pagePolicy, problemPage, wantsPage } from './problem-page.ts'

/** Fastify's own refusals in the words of the catalogue. */
const fastifyCodes: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than this address takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_input', 'The Content-Length does not match the body.'],
  FST_ERR_BAD_URL: ['route_not_found', 'The address is not a valid path.'],
  FST_ERR_MAX_PARAM_LENGTH: ['route_not_found', 'A part of the address is too long.'],
}

/** What Node refuses before there is a request. */
const clientCodes: Record<string, [ErrorCode, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time. Send it again, faster.'],
  HPE_HEADER_OVERFLOW: ['too_large', 'Address and headers together are larger than 16 KB.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['too_large', 'The chunk extensions are too large.'],
}

/** The error of the catalogue for anything that was thrown; undefined for a fault of ours. */
const known = (error: unknown): BerthError | undefined => {
  if (isBerthError(error)) return error
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error ? String(error.code) : ''
  const row = fastifyCodes[code]
  if (row !== undefined) return new BerthError(row[0], row[1])
  if (code === 'ENOSPC') return new BerthError('storage_full', 'The disk is full. Make room, then try again.')
  return undefined
}

const send = (reply: FastifyReply, error: BerthError) => {
  const problem = toProblem(error, reply.request.id)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.retryable && problem.status !== 500 && !reply.hasHeader('retry-after'))
    reply.header('retry-after', String(error.retryAfter ?? 1))
  // The door of a runner waits and asks again when it is told so.
  if (problem.code === 'unavailable') reply.header('berth-retry', '1')
  reply.code(problem.status)
  if (wantsPage(reply.request))
    return reply
      .header('content-security-policy', pagePolicy)
      .type('text/html; charset=utf-8')
      .send(problemPage(problem))
  return reply.type('application/problem+json').send(JSON.stringify(problem))
}

const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
  const expected = known(error)
  if (expected === undefined) request.log.error({ err: error }, 'A request failed')
  const detail = `Berth failed at this request. Its log has the cause under the request id ${request.id}.`
  return send(reply, expected ?? new BerthError('internal', detail))
}

/** Answers every error as problem details (RFC 9457; a browser gets a page), with the id under which the log has it. */
export const problems = (app: FastifyInstance, rows: readonly Route[]): void => {
  const nothingThere = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?')[0] ?? ''
    const others = rows.filter((row) => matches(row, path)).map((row) => row.method)
    // Whoever opens the address that `berth serve` prints gets to what there is to see.
    if (path === '/' && wantsPage(request) && rows.some((row) => row.path === '/login'))
      return reply.redirect('/docs', 302)
    if (others.length === 0)
      return send(reply, new BerthError('route_not_found', `There is nothing at ${path}.`))
    reply.header('allow', (others.includes('GET') ? [...others, 'HEAD'] : others).join(', '))
    return send(reply, new BerthError('method_not_allowed', `${path} takes ${others.join(', ')}.`))
  }
  app.setNotFoundHandler(nothingThere)
  app.setErrorHandler((error, request, reply) =>
    // Of a method that no row has, and that Fastify looks at before it finds nothing there.
    isOf(error, 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE')
      ? nothingThere(request, reply)
      : answer(error, request, reply),
  )
}

const isOf = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

/** Answers what Fastify refuses before it has found a route. */
export const frameworkError = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  answer(error, request, reply)
}

/** Answers what is not HTTP, too large, or too slow, and ends the connection. What was sent is not logged: it may hold a secret. */
export const clientError = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const [code, detail] =
    clientCodes[error.code ?? ''] ?? (['invalid_input', 'This is not valid HTTP.'] as const)
  const problem = toProblem(new BerthError(code, detail), randomUUID())
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${errorCatalogue[code].title}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}

const matches = (row: Route, path: string): boolean => {
  const wanted = row.path.split('/')
  const given = path.split('/')
  const isOpen = wanted.at(-1) === '*' && given.length > wanted.length
  return (
    (isOpen || wanted.length === given.length) &&
    wanted.every((part, i) => part.startsWith(':') || part === '*' || part === given[i])
  )
}
