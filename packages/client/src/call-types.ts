import type { Route, routes } from '@berth/contract'

type Input<T> = T extends { _zod: { input: infer I } } ? I : never
type Output<T> = T extends { _zod: { output: infer O } } ? O : never

/** Query values are text on the wire: which are optional follows the input, what they may be follows the output. */
type QueryOf<I, O> = { [K in keyof I]: K extends keyof O ? O[K] : never }

type ParamsPart<R> = R extends { params: infer P } ? { params: Input<P> } : { params?: undefined }
type BodyPart<R> = R extends { body: infer B } ? { body: Input<B> } : { body?: undefined }
type QueryPart<R> = R extends { query: infer Q }
  ? Partial<Input<Q>> extends Input<Q>
    ? { query?: QueryOf<Input<Q>, Output<Q>> }
    : { query: QueryOf<Input<Q>, Output<Q>> }
  : { query?: undefined }
/** The bytes of a body: as they are, or a function that opens them (again for each try). */
export type BytesSource = Uint8Array | (() => ReadableStream<Uint8Array>)

type BytesPart<R> = R extends { takes: 'bytes' } ? { bytes: BytesSource } : { bytes?: undefined }
/** The version that is changed, as it was read. */
type IfMatchPart<R> = R extends { ifMatch: true } ? { ifMatch: number } : { ifMatch?: undefined }

export interface CallOptions {
  /** Sent with this request, such as `if-none-match` or `range`. */
  headers?: Record<string, string>
  /** Default: random. Give one that you keep, to be safe beyond this call's own retries. */
  idempotencyKey?: string
  signal?: AbortSignal
  /** For each try, in milliseconds. Default: the client's. */
  timeoutMs?: number
}

/** What a call of a route takes: its params, query and body as the row says, and how to send them. */
export type CallInput<R> = BytesPart<R> &
  ParamsPart<R> &
  QueryPart<R> &
  BodyPart<R> &
  IfMatchPart<R> &
  CallOptions

/** The input may be left out where nothing in it is needed. */
export type CallArgs<R> = CallOptions extends CallInput<R> ? [input?: CallInput<R>] : [input: CallInput<R>]

/** Bytes as they arrive. Read the stream to its end or cancel it. */
export interface Bytes {
  mediaType: string
  /** As the header says, quotes included. */
  etag?: string
  /** Bytes of this answer, where that is known. */
  size?: number
  /** Only the range that was asked for. */
  partial?: boolean
  stream: ReadableStream<Uint8Array>
}

export type CallResult<R extends Route> = R['response'] extends { body: infer B }
  ? Output<B>
  : R['response'] extends { kind: 'bytes' }
    ? Bytes
    : R['response'] extends { kind: 'text' }
      ? string
      : undefined

type Routes = typeof routes

/** The routes that a program calls; a redirect is for browsers. */
export type CallableRoute = {
  [N in keyof Routes]: Routes[N]['response'] extends { status: 302 } ? never : N
}[keyof Routes]

export type RowOf<N extends CallableRoute> = Routes[N]
export type InputOf<N extends CallableRoute> = CallInput<RowOf<N>>
export type ResultOf<N extends CallableRoute> = CallResult<RowOf<N>>

/** The routes whose answers are pages, with the type of an item. */
export type ListRoute = {
  [N in CallableRoute]: ResultOf<N> extends { items: unknown[]; next?: string | undefined }
    ? 'next' extends keyof ResultOf<N>
      ? N
      : never
    : never
}[CallableRoute]

export type ItemOf<N extends ListRoute> = ResultOf<N> extends { items: (infer T)[] } ? T : never
