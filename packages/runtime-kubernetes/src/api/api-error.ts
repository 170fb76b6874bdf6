/** What the API server, or the way to it, says against a request. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** 0 when no answer came. */
  readonly status: number
  /** Kubernetes' own word, such as `AlreadyExists`. */
  readonly reason: string
  /** Kubernetes' words for the causes, such as `NamespaceTerminating`. */
  readonly causes: readonly string[]
  readonly retryAfterMs: number | undefined

  constructor(facts: {
    status: number
    message: string
    reason?: string
    causes?: readonly string[]
    retryAfterMs?: number
    cause?: unknown
  }) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.status = facts.status
    this.reason = facts.reason ?? ''
    this.causes = facts.causes ?? []
    this.retryAfterMs = facts.retryAfterMs
  }
}

export const isApiError = (value: unknown): value is ApiError =>
  value instanceof Error && value.name === 'ApiError' && 'status' in value

export const hasStatus = (error: unknown, status: number): boolean =>
  isApiError(error) && error.status === status

const busy: ReadonlySet<number> = new Set([0, 429, 500, 502, 503, 504])

/**
 * Whether the same request can succeed a moment later: the server is busy, restarts, or its quota was counted by two at
 * once. Everything that the adapter asks for may be asked twice.
 */
export const isTransient = (error: unknown): boolean =>
  isApiError(error) && (busy.has(error.status) || (error.status === 409 && error.reason === 'Conflict'))

interface Status {
  message?: unknown
  reason?: unknown
  details?: { retryAfterSeconds?: unknown; causes?: { reason?: unknown }[] }
}

/** Reads the answer of a refused request. */
export const errorOfAnswer = (status: number, body: string, retryAfter: string | undefined): ApiError => {
  const parsed = parse(body)
  const seconds = Number(retryAfter ?? parsed.details?.retryAfterSeconds)
  return new ApiError({
    status,
    message:
      typeof parsed.message === 'string' ? parsed.message : `status ${status} ${body.slice(0, 200)}`.trim(),
    reason: typeof parsed.reason === 'string' ? parsed.reason : '',
    causes: (parsed.details?.causes ?? []).map(({ reason }) => String(reason)),
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
  })
}

const parse = (body: string): Status => {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
