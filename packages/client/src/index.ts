export { type Ambient, realAmbient } from './ambient.ts'
export type {
  Bytes,
  BytesSource,
  CallableRoute,
  CallInput,
  CallOptions,
  InputOf,
  ItemOf,
  ListRoute,
  ResultOf,
} from './call-types.ts'
export { type Client, type ClientOptions, createClient, type RouteMethods } from './client.ts'
export {
  ApiError,
  ConnectionError,
  type ConnectionErrorKind,
  isApiError,
  isConnectionError,
} from './errors.ts'
export type { StreamOptions } from './read-log.ts'
export type { StreamState } from './resume.ts'
export type { RetryOptions } from './retry.ts'
export { createRunnerClient, type RunnerClient } from './runner-client.ts'
