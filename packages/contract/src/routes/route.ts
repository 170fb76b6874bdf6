import type { z } from 'zod'
import type { ErrorCode } from '../errors.ts'

/**
 * Who may call a route. `public`: anyone who reaches the port; `principal`: anyone signed in; `viewer`, `editor`,
 * `admin`: that role in the project of the path, or a higher one; `creator`: who may create projects; `platform-admin`;
 * `metrics`: who collects metrics, and platform admins; `runner`: the runner of a session, on the runners' port only.
 */
export type RouteRole =
  | 'public'
  | 'principal'
  | 'viewer'
  | 'editor'
  | 'admin'
  | 'creator'
  | 'platform-admin'
  | 'metrics'
  | 'runner'

/** What requests are counted as, when it is limited how many one principal may send. */
export const rateClasses = ['read', 'write', 'expensive'] as const
export type RateClass = (typeof rateClasses)[number]

/** One endpoint, as data. Server, OpenAPI document, client and tests are derived from it. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters as `:name`; a last part `*` stands for any rest, and is a parameter of that name. */
  path: string
  role: RouteRole
  /** Of a session: only for its owner and admins of the project. Default: false. */
  owner?: boolean
  /** False: not for API keys, whatever their role. Default: true. */
  keys?: boolean
  tag: string
  summary: string
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  /** `bytes`: of any media type, which are passed on as they arrive. `form`: as a browser sends one. Default: JSON. */
  takes?: 'bytes' | 'form'
  /** Bytes of the body. Default: `limits.body`. */
  bodyLimit?: number
  /** Status and body of success. `bytes`: any media type; `sse`: JSON, or a stream for `text/event-stream`. `csv`: JSON, or a table for `text/csv`. */
  response: {
    status: 200 | 201 | 202 | 204 | 302
    body?: z.ZodType
    /** The body is bytes of any media type, which are passed on as they arrive. */
    takes?: 'bytes'
    kind?: 'json' | 'sse' | 'csv' | 'bytes' | 'text'
  }
  /** Besides those that every route of its kind can answer (see `errorsOf`). */
  errors?: readonly ErrorCode[]
  /** Takes `Idempotency-Key`. Default: true for POST by people. */
  idempotent?: boolean
  /** Requests leave an entry in the audit. Default: whatever isn't GET, but for runners and strangers. Say why, if not. */
  audit?: boolean
  /** Needs `If-Match`. */
  ifMatch?: boolean
  /** Starts much work elsewhere: counted as `expensive`. */
  expensive?: boolean
  /** May change something of an archived project. Default: false. */
  whileArchived?: boolean
  /** Answers of a project that is being deleted; every other row finds it no more. Default: false. */
  whileDeleting?: boolean
}

export const rateOf = ({ method, expensive }: Route): RateClass => {
  if (expensive === true) return 'expensive'
  return method === 'GET' ? 'read' : 'write'
}

/** A row that keeps its literal types. */
export const route = <const R extends Route>(row: R): R => row

const ofBodies = ['invalid_json', 'unsupported_media_type', 'request_timeout', 'storage_full'] as const

/** Every error that a route can answer with. */
export const errorsOf = (row: Route): ErrorCode[] => {
  // Whatever is asked, its address and headers may be too large.
  const everywhere = [
    'internal',
    'unavailable',
    'host_not_allowed',
    'origin_not_allowed',
    'too_large',
  ] as const
  const codes = new Set<ErrorCode>([...(row.errors ?? []), ...everywhere])
  if (row.params !== undefined || row.query !== undefined || row.body !== undefined)
    codes.add('invalid_input')
  // A body that a row has no use for is still read.
  if (row.method !== 'GET') for (const code of ofBodies) codes.add(code)
  if (row.role !== 'public')
    for (const code of ['unauthenticated', 'too_many_attempts'] as const) codes.add(code)
  if (row.role !== 'public' && row.role !== 'runner') codes.add('rate_limited')
  if (row.role !== 'public' && row.role !== 'principal') codes.add('forbidden')
  if (row.path.startsWith('/api/projects/:project')) codes.add('project_not_found')
  if (isShutByArchive(row)) codes.add('project_archived')
  if (row.path.includes('/sessions/:session')) codes.add('session_not_found')
  if (takesIdempotencyKey(row)) codes.add('idempotency_mismatch')
  if (row.ifMatch === true)
    for (const code of ['version_mismatch', 'precondition_required'] as const) codes.add(code)
  return [...codes]
}

/** Whether a row can't be called while its project is archived: what changes something in it. */
export const isShutByArchive = (row: Pick<Route, 'method' | 'path' | 'whileArchived'>): boolean =>
  row.method !== 'GET' && row.path.startsWith('/api/projects/:project') && row.whileArchived !== true

export const takesIdempotencyKey = (row: Route): boolean =>
  row.idempotent ?? (row.method === 'POST' && row.role !== 'runner' && row.role !== 'public')
