import type { Clock } from '@berth/runtime'
import {
  HttpMethod,
  IsomorphicFetchHttpLibrary,
  RequestContext,
  type V1ListMeta,
} from '@kubernetes/client-node'
import type { CompiledOptions } from '../options/schema.ts'
import { ApiError, errorOfAnswer, isApiError, isTransient } from './api-error.ts'
import type { ClusterAccess } from './cluster-access.ts'
import { Limiter } from './limiter.ts'
import { type Place, pathOf } from './resources.ts'

export interface ListOf<T> {
  items: T[]
  metadata?: V1ListMeta
}

type Query = Record<string, string | number | boolean | undefined>
type Verb = 'get' | 'list' | 'create' | 'delete' | 'patch'

interface Request {
  place: Place
  verb: Verb
  method: HttpMethod
  query?: Query
  body?: unknown
  contentType?: string
}

export interface ApiParts {
  access: ClusterAccess
  options: CompiledOptions['api']
  clock: Clock
  /** Hears of every request, by the verb that a role names. */
  onRequest?: (place: Place, verb: Verb | 'watch') => void
}

const pageSize = 100
const baseDelayMs = 100
const maxDelayMs = 5000
const mergePatch = 'application/merge-patch+json'
const serverSideApply = 'application/apply-patch+yaml'

/**
 * The few verbs that the adapter needs, on plain objects. Each request is limited in time, waits for its turn, and is tried
 * again while the server is busy or away; what comes after that is an ApiError.
 */
export class KubernetesApi {
  readonly #parts: ApiParts
  readonly #limiter: Limiter
  readonly #http = new IsomorphicFetchHttpLibrary()

  constructor(parts: ApiParts) {
    this.#parts = parts
    this.#limiter = new Limiter({ ...parts.options, clock: parts.clock })
  }

  get<T>(place: Place): Promise<T> {
    return this.#request<T>({ place, verb: 'get', method: HttpMethod.GET })
  }

  /**
   * All of them, page by page; the version is that of the last page. What `read` doesn't take of an item is let go with its
   * page: objects are large, and there may be thousands.
   */
  async list<T, R = T>(
    place: Place,
    labelSelector: string,
    { query = {}, read }: { query?: Query; read: (item: T) => R | undefined },
  ): Promise<ListOf<R>> {
    const items: R[] = []
    let page: ListOf<T> | undefined
    do {
      page = await this.#request<ListOf<T>>({
        place,
        verb: 'list',
        method: HttpMethod.GET,
        query: { ...query, labelSelector, limit: pageSize, continue: nextOf(page) },
      })
      for (const item of page.items) {
        const taken = read(item)
        if (taken !== undefined) items.push(taken)
      }
    } while (nextOf(page) !== undefined)
    return { items, metadata: page.metadata }
  }

  create<T extends object>(place: Place, body: T): Promise<T> {
    return this.#request<T>({ place, verb: 'create', method: HttpMethod.POST, body })
  }

  /** Makes the object, or makes it what `body` says; what others set besides stays. */
  apply<T extends object>(place: Place, body: T): Promise<T> {
    return this.#request<T>({
      place,
      verb: 'patch',
      method: HttpMethod.PATCH,
      query: { fieldManager: 'berth', force: true },
      body,
      contentType: serverSideApply,
    })
  }

  merge<T>(place: Place, body: object): Promise<T> {
    return this.#request<T>({ place, verb: 'patch', method: HttpMethod.PATCH, body, contentType: mergePatch })
  }

  /** Resolves too when there is nothing to delete. */
  async delete(place: Place, body: object = {}): Promise<void> {
    try {
      await this.#request({ place, verb: 'delete', method: HttpMethod.DELETE, body })
    } catch (error) {
      if (!isApiError(error) || error.status !== 404) throw error
    }
  }

  /** The stream of a watch; not limited, because it is one for all. Rejects with an ApiError. */
  async watch(place: Place, query: Query, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    this.#parts.onRequest?.(place, 'watch')
    const context = await this.#context({
      place,
      verb: 'list',
      method: HttpMethod.GET,
      query: { ...query, watch: true },
    })
    context.setSignal(signal)
    const answer = await this.#send(context)
    const stream = answer.body.stream()
    if (stream === null) throw new ApiError({ status: 0, message: 'The watch has no content.' })
    return stream
  }

  async #request<T>(request: Request): Promise<T> {
    const { retries } = this.#parts.options
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#limiter.run(() => this.#once<T>(request))
      } catch (error) {
        if (attempt >= retries || !isTransient(error)) throw error
        await this.#pause(attempt, isApiError(error) ? error.retryAfterMs : undefined)
      }
    }
  }

  async #once<T>(request: Request): Promise<T> {
    this.#parts.onRequest?.(request.place, request.verb)
    const context = await this.#context(request)
    const limit = AbortSignal.timeout(this.#parts.options.timeoutMs)
    context.setSignal(limit)
    try {
      const answer = await this.#send(context)
      return JSON.parse(await answer.body.text()) as T
    } catch (error) {
      if (limit.aborted) this.#parts.access.leave(context.getDispatcher())
      throw isApiError(error) ? error : unanswered(error)
    }
  }

  async #context({ place, method, query = {}, body, contentType }: Request): Promise<RequestContext> {
    const { access } = this.#parts
    const context = new RequestContext(`${access.server}${pathOf(place)}`, method)
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) context.setQueryParam(key, String(value))
    context.setHeaderParam('accept', 'application/json')
    if (body !== undefined) {
      context.setHeaderParam('content-type', contentType ?? 'application/json')
      context.setBody(JSON.stringify(body))
    }
    try {
      await access.applySecurityAuthentication(context)
    } catch (error) {
      throw unanswered(error)
    }
    return context
  }

  async #send(context: RequestContext) {
    const answer = await this.#http
      .send(context)
      .toPromise()
      .catch((error: unknown) => {
        throw unanswered(error)
      })
    if (answer.httpStatusCode < 300) return answer
    const text = await answer.body.text().catch(() => '')
    throw errorOfAnswer(answer.httpStatusCode, text, answer.headers['retry-after'])
  }

  #pause(attempt: number, retryAfterMs: number | undefined): Promise<void> {
    const grown = Math.min(maxDelayMs, baseDelayMs * 2 ** attempt)
    // Many who were refused at once should not come back at once.
    const ms = Math.max(retryAfterMs ?? 0, grown * (0.5 + Math.random() / 2))
    return new Promise((resolve) => this.#parts.clock.setTimeout(resolve, Math.min(ms, 30_000)))
  }
}

/** The rest of a list; Kubernetes' answer says `continue`, the client's type `_continue`. */
const nextOf = (page: ListOf<unknown> | undefined): string | undefined => {
  const meta = page?.metadata as { continue?: string } | undefined
  return meta?.continue === '' ? undefined : meta?.continue
}

const unanswered = (error: unknown): ApiError => {
  const reason =
    error instanceof Error ? (error.cause instanceof Error ? error.cause : error).message : String(error)
  return new ApiError({ status: 0, message: `The API server gave no answer: ${reason}`, cause: error })
}
