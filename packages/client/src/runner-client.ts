import { type AnyEvent, type Route, runnerRoutes } from '@berth/contract'
import { callRoute, type LooseInput, sendWithRetries, toRequest } from './call.ts'
import type { Bytes, BytesSource, CallInput, CallOptions, CallResult } from './call-types.ts'
import { type ClientOptions, toTransport } from './client.ts'
import { readLog, type StreamOptions } from './read-log.ts'

type Rows = typeof runnerRoutes
type BodyOf<N extends keyof Rows> = NonNullable<CallInput<Rows[N]>['body']>

interface BasePart {
  base: string
  blob: string
}

/**
 * A runner's own routes. Its token says which session it is the runner of. Every call may be repeated without harm,
 * so all are tried again as the retry options say; `fenced` means that a newer runner took over: stop.
 */
export interface RunnerClient {
  hello(options?: CallOptions): Promise<CallResult<Rows['runnerHello']>>
  /** The settings that count now. */
  settings(options?: CallOptions): Promise<CallResult<Rows['runnerSettings']>>
  /** Appends facts; answers with the last number that is stored. */
  facts(body: BodyOf<'runnerFacts'>, options?: CallOptions): Promise<CallResult<Rows['runnerFacts']>>
  /** The log of the runner's session, in order, each event once, through disconnects. */
  events(options?: StreamOptions): AsyncGenerator<AnyEvent, void, undefined>
  heartbeat(body: BodyOf<'runnerHeartbeat'>, options?: CallOptions): Promise<void>
  /** Keeps lines of the runner's log. */
  logs(body: BodyOf<'runnerLogs'>, options?: CallOptions): Promise<void>
  getBlob(blob: string, options?: CallOptions): Promise<Bytes>
  /** Stores bytes under the SHA-256 of their content, in hexadecimal. */
  putBlob(blob: string, source: BytesSource, options?: CallOptions): Promise<void>
  /** Says that the session needs a base pack; its parts, when the project has it. */
  useBase(base: string, options?: CallOptions): Promise<CallResult<Rows['runnerUseBase']>>
  putBasePart(part: BasePart, source: BytesSource, options?: CallOptions): Promise<void>
  completeBase(
    base: string,
    body: BodyOf<'runnerCompleteBase'>,
    options?: CallOptions,
  ): Promise<CallResult<Rows['runnerCompleteBase']>>
  getBasePart(part: BasePart, options?: CallOptions): Promise<Bytes>
  /** A part of what an open operation brings in. */
  getTransfer(place: TransferPlace, options?: CallOptions): Promise<Bytes>
  /** Stores a part of what an open operation takes out. */
  putTransfer(place: TransferPlace, source: BytesSource, options?: CallOptions): Promise<void>
}

/** Where a part lies: with which operation or upload, and its SHA-256 in hexadecimal. */
export interface TransferPlace {
  transfer: string
  blob: string
}

export const createRunnerClient = (options: ClientOptions): RunnerClient => {
  const transport = toTransport(options)
  const call = (row: Route, input: LooseInput = {}) => callRoute(transport, row, input)
  const put = (row: Route, input: LooseInput, source: BytesSource) => {
    const request = toRequest(transport, row, input)
    const headers = { ...request.headers, 'content-type': 'application/octet-stream' }
    const body = typeof source === 'function' ? source : () => source
    const read = (response: Response) => response.text().then(() => undefined)
    return sendWithRetries(transport, { ...request, headers, body }, { repeatable: true, read })
  }
  const client = {
    hello: (callOptions?: CallOptions) => call(runnerRoutes.runnerHello, callOptions),
    settings: (callOptions?: CallOptions) => call(runnerRoutes.runnerSettings, callOptions),
    facts: (body: unknown, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerFacts, { ...callOptions, body }),
    events: (stream: StreamOptions = {}) => readLog({ transport, row: runnerRoutes.runnerEvents }, stream),
    heartbeat: (body: unknown, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerHeartbeat, { ...callOptions, body }),
    logs: (body: unknown, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerLogs, { ...callOptions, body }),
    getBlob: (blob: string, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerGetBlob, { ...callOptions, params: { blob } }),
    putBlob: (blob: string, source: BytesSource, callOptions?: CallOptions) =>
      put(runnerRoutes.runnerPutBlob, { ...callOptions, params: { blob } }, source),
    useBase: (base: string, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerUseBase, { ...callOptions, params: { base } }),
    putBasePart: (params: BasePart, source: BytesSource, callOptions?: CallOptions) =>
      put(runnerRoutes.runnerPutBasePart, { ...callOptions, params: { ...params } }, source),
    completeBase: (base: string, body: unknown, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerCompleteBase, { ...callOptions, params: { base }, body }),
    getBasePart: (params: BasePart, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerGetBasePart, { ...callOptions, params: { ...params } }),
    getTransfer: (place: TransferPlace, callOptions?: CallOptions) =>
      call(runnerRoutes.runnerGetTransfer, { ...callOptions, params: { ...place } }),
    putTransfer: (place: TransferPlace, source: BytesSource, callOptions?: CallOptions) =>
      put(runnerRoutes.runnerPutTransfer, { ...callOptions, params: { ...place } }, source),
  }
  return client as unknown as RunnerClient
}
