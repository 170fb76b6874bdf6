import { BerthError, type ErrorCode, errorCatalogue, errorCodes, problem } from '@berth/contract'

/** The backend answered with a problem. Also a `BerthError`: recognised by `isBerthError`. */
export class ApiError extends BerthError {
  readonly status: number
  readonly title: string
  /** For a report: finds the request in the backend's logs. Empty when the answer named none. */
  readonly requestId: string
  /** How long the backend asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, detail: string, facts: ApiErrorFacts = {}) {
    super(code, detail, facts.fields)
    this.name = 'ApiError'
    this.status = facts.status ?? errorCatalogue[code].status
    this.title = facts.title ?? errorCatalogue[code].title
    this.requestId = facts.requestId ?? ''
    this.retryAfterMs = facts.retryAfterMs
  }
}

interface ApiErrorFacts {
  status?: number | undefined
  title?: string | undefined
  requestId?: string | undefined
  retryAfterMs?: number | undefined
  fields?: BerthError['fields']
}

/**
 * What went wrong before there was an answer of Berth's: `unreachable` (no connection), `timeout` (no answer in time),
 * `broken` (the answer ended early), `unexpected` (something else than Berth answered).
 */
export type ConnectionErrorKind = 'unreachable' | 'timeout' | 'broken' | 'unexpected'

const connectionBrand = 'berth.connection-error'

/** Berth could not be reached, or did not answer as Berth does. Recognised by `isConnectionError`. */
export class ConnectionError extends Error {
  readonly brand = connectionBrand
  readonly kind: ConnectionErrorKind
  readonly url: string
  /** HTTP status, when something answered. */
  readonly status: number | undefined

  constructor(
    kind: ConnectionErrorKind,
    message: string,
    facts: { url: string; status?: number; cause?: unknown },
  ) {
    super(message, { cause: facts.cause })
    this.name = 'ConnectionError'
    this.kind = kind
    this.url = facts.url
    this.status = facts.status
  }
}

export const isConnectionError = (error: unknown): error is ConnectionError =>
  typeof error === 'object' && error !== null && 'brand' in error && error.brand === connectionBrand

export const isApiError = (error: unknown): error is ApiError =>
  error instanceof Error && error.name === 'ApiError' && 'code' in error && 'requestId' in error

const knownCode = (code: string): code is ErrorCode => (errorCodes as string[]).includes(code)

/** The code that comes nearest, for a code of a newer backend. */
const codeByStatus = (status: number): ErrorCode => {
  const found = errorCodes.find((code) => errorCatalogue[code].status === status)
  return found ?? (status >= 500 ? 'internal' : 'invalid_input')
}

export const codeOf = (code: unknown, status: number): ErrorCode =>
  typeof code === 'string' && knownCode(code) ? code : codeByStatus(status)

/** `Retry-After` in milliseconds: seconds or a date. */
const parseRetryAfter = (value: string | null, now: number): number | undefined => {
  if (value === null) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

const looseProblem = problem.partial().extend({ code: problem.shape.type.optional() })

/** The error that an answer stands for. Reads the body. */
export const errorFromResponse = async (response: Response, url: string, now: number): Promise<Error> => {
  const { status } = response
  const body = await response.text().catch(() => '')
  const parsed = looseProblem.safeParse(parseJson(body))
  if (!parsed.success || parsed.data.detail === undefined)
    return new ConnectionError('unexpected', `${url} answered ${status}, but not as Berth does`, {
      url,
      status,
    })
  const { title, detail, requestId, errors, code } = parsed.data
  return new ApiError(codeOf(code, status), detail, {
    status,
    title,
    requestId: requestId ?? response.headers.get('x-request-id') ?? '',
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), now),
    fields: errors,
  })
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
