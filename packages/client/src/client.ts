import { type AnyEvent, type ProjectChange, type Route, routes } from '@berth/contract'
import { type Ambient, realAmbient } from './ambient.ts'
import { callRoute, type LooseInput } from './call.ts'
import type {
  Bytes,
  CallArgs,
  CallableRoute,
  InputOf,
  ItemOf,
  ListRoute,
  ResultOf,
  RowOf,
} from './call-types.ts'
import { listAll } from './list-all.ts'
import { readProjectChanges } from './project-changes.ts'
import { readHistory } from './read-history.ts'
import { readLog, type StreamOptions } from './read-log.ts'
import { type RetryOptions, retryDefaults } from './retry.ts'
import type { Transport } from './transport.ts'

export interface ClientOptions {
  /** Where the backend is, e.g. `http://127.0.0.1:7420`. Empty: the origin of the page. */
  baseUrl: string
  /** Bearer token; a function is asked before each request, and what it rejects with ends the call. Default: none (a page has its cookie). */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined
  /** Default: the global `fetch`. */
  fetch?: typeof globalThis.fetch
  /** Sent with every request. */
  headers?: Record<string, string>
  retry?: RetryOptions
  /** For each try, until its answer is read (of a stream: begins), in milliseconds. Default: 30,000. */
  timeoutMs?: number
  /** Time and chance. Default: the real ones. */
  ambient?: Ambient
}

/** A method for every route, by its name in the contract: `client.createSession({ params, body })`. */
export type RouteMethods = { [N in CallableRoute]: (...args: CallArgs<RowOf<N>>) => Promise<ResultOf<N>> }

/**
 * The API as methods. Failures are `ApiError` (the backend said no: see its `code`) or `ConnectionError` (there was no
 * answer of Berth's).
 */
export interface Client extends RouteMethods {
  /** Calls a route by name. */
  call<N extends CallableRoute>(name: N, ...args: CallArgs<RowOf<N>>): Promise<ResultOf<N>>
  /** The events of a session, in order, each once, through disconnects. See `StreamOptions`. */
  events(project: string, session: string, options?: StreamOptions): AsyncGenerator<AnyEvent, void, undefined>
  /**
   * What came before a fork: events of the session that it was forked from, and of those before that. Each of them begins
   * with its own `session.created`, and numbers its events by itself. Nothing for a session that is no fork.
   */
  history(project: string, session: string): AsyncGenerator<AnyEvent, void, undefined>
  /** Changes of a project's session list; the place is its revision. */
  projectChanges(
    project: string,
    options?: Omit<StreamOptions, 'follow'>,
  ): AsyncGenerator<ProjectChange, void, undefined>
  /** Every item of a list, a page at a time. */
  listAll<N extends ListRoute>(name: N, input: InputOf<N>): AsyncGenerator<ItemOf<N>, void, undefined>
}

export const toTransport = (options: ClientOptions): Transport => {
  const { token } = options
  return {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    token: typeof token === 'string' ? () => token : token,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: options.headers ?? {},
    timeoutMs: options.timeoutMs ?? 30_000,
    retry: { ...retryDefaults, ...options.retry },
    ambient: options.ambient ?? realAmbient,
  }
}

export const createClient = (options: ClientOptions): Client => {
  const transport = toTransport(options)
  const call = (name: CallableRoute, input: unknown) =>
    callRoute(transport, routes[name] as Route, (input ?? {}) as LooseInput)
  const names = (Object.keys(routes) as (keyof typeof routes)[]).filter(isCallable)
  const methods = Object.fromEntries(names.map((name) => [name, (input?: unknown) => call(name, input)]))
  const streams = {
    call,
    events: (project: string, session: string, stream: StreamOptions = {}) =>
      readLog({ transport, row: routes.listEvents, params: { project, session } }, stream),
    async *history(project: string, session: string) {
      yield* readHistory((await call('getHistory', { params: { project, session } })) as Bytes)
    },
    projectChanges: (project: string, stream?: Omit<StreamOptions, 'follow'>) =>
      readProjectChanges(transport, project, stream),
    listAll: (name: ListRoute, input: unknown) => listAll(transport, routes[name], input as LooseInput),
  }
  return { ...methods, ...streams } as unknown as Client
}

const isCallable = (name: keyof typeof routes): name is CallableRoute =>
  (routes[name] as Route).response.status !== 302
