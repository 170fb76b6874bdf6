const types: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  405: 'invalid_request_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

const messages: Record<number, string> = {
  400: 'The scripted model refuses this request as invalid',
  401: 'invalid x-api-key',
  403: 'Your API key does not have permission to use the specified resource',
  404: 'The requested resource could not be found',
  429: 'This request would exceed the rate limit of your organization',
  500: 'Internal server error',
  529: 'Overloaded',
}

/** The body of an error answer, as the API shapes it. */
export interface ApiErrorBody {
  type: 'error'
  error: { type: string; message: string }
  request_id: string
}

/** An error answer; without a message it gets the usual one of its status. */
export function apiErrorBody(status: number, requestId: string, message?: string): ApiErrorBody {
  const type = types[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
  return {
    type: 'error',
    error: {
      type,
      message: message ?? messages[status] ?? `The scripted model answers with status ${status}`,
    },
    request_id: requestId,
  }
}
