import { BerthError, type ErrorCode, isBerthError, type Route, toProblem } from '@berth/contract'
import type { FastifyInstance, FastifyReply } from 'fastify'

/** Fastify's own refusals in the words of the catalogue. */
const fastifyCodes: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than this address takes.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send the body as application/json.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid_json', 'The body is empty, but its media type says JSON.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid_json', 'The body is not valid JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_input', 'The Content-Length does not match the body.'],
  FST_ERR_BAD_URL: ['route_not_found', 'The address is not a valid path.'],
  FST_ERR_MAX_URL_LENGTH: ['route_not_found', 'The address is too long.'],
}

/** The error of the catalogue for anything that was thrown; undefined for a fault of ours. */
const known = (error: unknown): BerthError | undefined => {
  if (isBerthError(error)) return error
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error ? String(error.code) : ''
  const row = fastifyCodes[code]
  if (row !== undefined) return new BerthError(row[0], row[1])
  if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400)
    return new BerthError('invalid_json', `The body is not valid JSON: ${error.message}`)
  if (code === 'ENOSPC') return new BerthError('storage_full', 'The disk is full. Make room, then try again.')
  return undefined
}

const send = (reply: FastifyReply, error: BerthError) => {
  const problem = toProblem(error, reply.request.id)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  if (problem.retryable && problem.status !== 500) reply.header('retry-after', '1')
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** Answers every error as problem details (RFC 9457), with the id under which the log has it. */
export const problems = (app: FastifyInstance, rows: readonly Route[]): void => {
  app.setErrorHandler((error, request, reply) => {
    const expected = known(error)
    if (expected === undefined) request.log.error({ err: error }, 'A request failed')
    const detail = `Berth failed at this request. Its log has the cause under the request id ${request.id}.`
    return send(reply, expected ?? new BerthError('internal', detail))
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const others = rows.filter((row) => matches(row, path)).map((row) => row.method)
    if (others.length === 0)
      return send(reply, new BerthError('route_not_found', `There is nothing at ${path}.`))
    reply.header('allow', others.join(', '))
    return send(reply, new BerthError('method_not_allowed', `${path} takes ${others.join(', ')}.`))
  })
}

const matches = (row: Route, path: string): boolean => {
  const wanted = row.path.split('/')
  const given = path.split('/')
  return (
    wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
  )
}
