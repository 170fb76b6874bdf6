import { expect, test } from 'vitest'
import { apiErrorBody } from './api-error.ts'

test.each([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [503, 'api_error'],
  [529, 'overloaded_error'],
])('the body of status %i', (status, type) => {
  expect(apiErrorBody(status, 'req_1')).toMatchObject({ type: 'error', error: { type }, request_id: 'req_1' })
})
