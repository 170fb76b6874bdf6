import { z } from 'zod'

interface ErrorRow {
  status: number
  /** The same request may succeed later. */
  retryable: boolean
  title: string
}

/** Every error that crosses the wire. The code is also the anchor of its documentation. */
export const errorCatalogue = {
  invalid_input: { status: 400, retryable: false, title: 'The request is not valid' },
  invalid_json: { status: 400, retryable: false, title: 'The body is not valid JSON' },
  invalid_cursor: { status: 400, retryable: false, title: 'The cursor is not one that this list gave' },
  unauthenticated: { status: 401, retryable: false, title: 'Sign in first' },
  forbidden: { status: 403, retryable: false, title: 'Your role does not allow this' },
  private_not_allowed: { status: 403, retryable: false, title: 'The project has no private sessions' },
  host_not_allowed: {
    status: 403,
    retryable: false,
    title: 'The Host header is not one that Berth answers to',
  },
  origin_not_allowed: { status: 403, retryable: false, title: 'Pages of this origin may not use the API' },
  repository_not_allowed: { status: 403, retryable: false, title: 'The repository may not be used' },
  git_refused: { status: 403, retryable: false, title: 'The git proxy does not let this through' },
  egress_refused: { status: 403, retryable: false, title: 'The project lets sessions reach no such address' },
  model_not_allowed: { status: 403, retryable: false, title: 'The project does not allow this model' },
  route_not_found: { status: 404, retryable: false, title: 'There is nothing at this address' },
  project_not_found: { status: 404, retryable: false, title: 'There is no such project' },
  session_not_found: { status: 404, retryable: false, title: 'There is no such session' },
  prompt_not_found: { status: 404, retryable: false, title: 'There is no such prompt' },
  request_not_found: {
    status: 404,
    retryable: false,
    title: 'There is no such permission request or question',
  },
  blob_not_found: { status: 404, retryable: false, title: 'There is no such blob' },
  repository_not_found: { status: 404, retryable: false, title: 'The session has no such repository' },
  git_not_found: { status: 404, retryable: false, title: 'The git server has no such repository' },
  base_not_found: { status: 404, retryable: false, title: 'The project has no such base pack' },
  changes_not_found: { status: 404, retryable: false, title: 'Nothing is known about these changes' },
  upload_not_found: { status: 404, retryable: false, title: 'There is no such upload' },
  file_not_found: { status: 404, retryable: false, title: 'There is no such file or directory' },
  member_not_found: { status: 404, retryable: false, title: 'The project has no such member' },
  key_not_found: { status: 404, retryable: false, title: 'The project has no such API key' },
  mcp_server_not_found: { status: 404, retryable: false, title: 'There is no such MCP server' },
  secret_not_found: { status: 404, retryable: false, title: 'There is no such secret' },
  method_not_allowed: { status: 405, retryable: false, title: 'The address does not take this method' },
  not_acceptable: { status: 406, retryable: false, title: 'The address does not speak this media type' },
  request_timeout: { status: 408, retryable: true, title: 'The request did not arrive in time' },
  project_exists: { status: 409, retryable: false, title: 'A project of this name exists' },
  last_admin: { status: 409, retryable: false, title: 'The project would have no admin any more' },
  too_many_members: { status: 409, retryable: false, title: 'The project has as many members as it may' },
  too_many_keys: { status: 409, retryable: false, title: 'The project has as many API keys as it may' },
  member_not_allowed: { status: 409, retryable: false, title: 'Nobody signs in under this name' },
  own_access: { status: 409, retryable: false, title: 'Nobody takes their own access away' },
  project_archived: { status: 409, retryable: false, title: 'The project is archived' },
  project_protected: { status: 409, retryable: false, title: 'This project is always there' },
  too_many_projects: { status: 409, retryable: false, title: 'You have created as many projects as you may' },
  repository_exists: { status: 409, retryable: false, title: 'The session has a repository of this name' },
  too_many_repositories: {
    status: 409,
    retryable: false,
    title: 'The session has as many repositories as it may',
  },
  repository_has_work: { status: 409, retryable: false, title: 'The repository has work that would be lost' },
  repository_busy: { status: 409, retryable: true, title: 'The agent may be working in the repository' },
  repository_not_failed: {
    status: 409,
    retryable: false,
    title: 'The clone of this repository has not failed',
  },
  prompt_taken: { status: 409, retryable: false, title: 'The prompt is being worked on already' },
  request_closed: { status: 409, retryable: false, title: 'The request was answered or cancelled already' },
  no_turn: { status: 409, retryable: false, title: 'No turn is running' },
  turn_running: { status: 409, retryable: true, title: 'A turn is running' },
  no_checkpoint: { status: 409, retryable: false, title: 'There is no such checkpoint' },
  push_rejected: { status: 409, retryable: false, title: 'The origin can’t take this push' },
  session_deleted: { status: 409, retryable: false, title: 'The session is deleted' },
  session_not_deleted: { status: 409, retryable: false, title: 'The session is not deleted' },
  no_model_key: { status: 409, retryable: false, title: 'There is no key for a model' },
  budget_spent: { status: 409, retryable: false, title: 'A budget is spent' },
  session_failed: { status: 409, retryable: false, title: 'The session failed and needs a resume' },
  limit_reached: { status: 409, retryable: false, title: 'The session has used up a limit; raise it first' },
  session_not_live: { status: 409, retryable: false, title: 'The session has no runner now' },
  secret_in_use: { status: 409, retryable: false, title: 'Settings refer to the secret' },
  secret_unusable: { status: 409, retryable: false, title: 'The secret’s key is missing; set it anew' },
  too_many_secrets: { status: 409, retryable: false, title: 'The project has as many secrets as it may' },
  upload_mismatch: { status: 409, retryable: false, title: 'The upload does not stand there' },
  not_a_file: { status: 409, retryable: false, title: 'There is no file at this path' },
  not_a_directory: { status: 409, retryable: false, title: 'There is no directory at this path' },
  operation_refused: { status: 409, retryable: false, title: 'This may not be done with the workspace' },
  fenced: { status: 409, retryable: false, title: 'A newer runner took over' },
  fact_gap: { status: 409, retryable: false, title: 'Facts are missing before this one' },
  version_mismatch: { status: 412, retryable: false, title: 'Someone else changed it in the meantime' },
  too_large: { status: 413, retryable: false, title: 'The request is too large' },
  range_not_satisfiable: { status: 416, retryable: false, title: 'The file has no such range' },
  unsupported_media_type: { status: 415, retryable: false, title: 'The body has an unsupported media type' },
  idempotency_mismatch: {
    status: 422,
    retryable: false,
    title: 'The idempotency key was used for another request',
  },
  precondition_required: {
    status: 428,
    retryable: false,
    title: 'Say which version you change, with If-Match',
  },
  egress_busy: { status: 429, retryable: true, title: 'Too many requests to the network are under way' },
  rate_limited: { status: 429, retryable: true, title: 'Too many requests; wait a moment' },
  too_many_attempts: { status: 429, retryable: true, title: 'Too many sign-ins failed' },
  git_busy: { status: 429, retryable: true, title: 'Too many requests of git are under way' },
  mcp_busy: { status: 429, retryable: true, title: 'Too many requests to MCP servers are under way' },
  queue_full: { status: 429, retryable: true, title: 'Too many prompts wait in this session' },
  too_many_uploads: { status: 429, retryable: false, title: 'Too many uploads are not finished' },
  too_many_operations: {
    status: 429,
    retryable: true,
    title: 'Too many operations on this workspace are under way',
  },
  internal: { status: 500, retryable: true, title: 'Something went wrong in Berth' },
  repository_unreachable: { status: 502, retryable: true, title: 'The repository cannot be read' },
  checkpoint_unreadable: { status: 500, retryable: false, title: 'The checkpoint can’t be read' },
  push_failed: { status: 502, retryable: true, title: 'The push did not arrive' },
  egress_failed: { status: 502, retryable: true, title: 'The host did not answer as it should' },
  git_failed: { status: 502, retryable: true, title: 'The git server did not answer as it should' },
  mcp_server_failed: { status: 502, retryable: false, title: 'The MCP server did not answer as it should' },
  upstream_unreachable: { status: 502, retryable: true, title: 'The model cannot be reached' },
  operation_failed: { status: 502, retryable: false, title: 'The runner could not do it' },
  unavailable: { status: 503, retryable: true, title: 'Berth is starting, stopping or overloaded' },
  operation_timeout: { status: 504, retryable: true, title: 'The runner did not answer in time' },
  storage_full: { status: 507, retryable: true, title: 'The disk is full' },
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorCatalogue

export const errorCodes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]

/** One offending field of a request. */
export const fieldError = z.object({
  /** Where: `body.repositories[0].url`, `query.limit`, `headers.if-match`. */
  field: z.string(),
  message: z.string(),
})

export type FieldError = z.infer<typeof fieldError>

/** Problem details (RFC 9457), media type `application/problem+json`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  /** What happened, why, and what to do. */
  detail: z.string(),
  code: z.enum(errorCodes),
  retryable: z.boolean(),
  requestId: z.string(),
  errors: z.array(fieldError).optional(),
})

export type Problem = z.infer<typeof problem>

const brand = 'berth.error'

/** An error of the catalogue. Recognised by `isBerthError`, not by its prototype. */
export class BerthError extends Error {
  readonly brand = brand
  readonly code: ErrorCode
  readonly fields: FieldError[] | undefined
  /** Seconds after which it is worth another try, where that is known. */
  retryAfter: number | undefined

  constructor(code: ErrorCode, detail: string, fields?: FieldError[]) {
    super(detail)
    this.name = 'BerthError'
    this.code = code
    this.fields = fields
  }
}

export const isBerthError = (error: unknown): error is BerthError =>
  typeof error === 'object' && error !== null && 'brand' in error && error.brand === brand

/** The body of an error answer. */
export const toProblem = (error: BerthError, requestId: string): Problem => {
  const { status, retryable, title } = errorCatalogue[error.code]
  return {
    type: `urn:berth:error:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    retryable,
    requestId,
    errors: error.fields,
  }
}
