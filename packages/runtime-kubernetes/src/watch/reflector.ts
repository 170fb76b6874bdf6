import { setTimeout as sleep } from 'node:timers/promises'
import { ApiError, isApiError } from '../api/api-error.ts'
import type { KubernetesApi, ListOf } from '../api/kubernetes-api.ts'
import type { Place } from '../api/resources.ts'
import type { Logger } from '../logger.ts'
import { linesOf } from './lines.ts'

export interface ReflectorTarget<T> {
  /** All that there is as of `version`. */
  replace(items: T[], version: string): void
  put(item: T): void
  drop(item: T): void
}

export interface ReflectorOptions<Item, T> {
  api: KubernetesApi
  place: Place
  labelSelector: string
  target: ReflectorTarget<T>
  /** What counts of an object; undefined for what is none of ours. */
  read: (item: Item) => T | undefined
  log: Logger
  /** Seconds after which the server ends a watch, so that one that is dead is noticed. Default 30. */
  watchSeconds?: number
}

interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  object: T & { metadata?: { resourceVersion?: string }; code?: number; message?: string; reason?: string }
}

const slackMs = 10_000
const baseDelayMs = 200
const maxDelayMs = 10_000

/**
 * Keeps a target as the API server has it: lists, watches from there, and lists again when the watch breaks or its place in
 * the history is gone (410). The server is asked to end each watch soon; one that does not end by itself is dead.
 */
export class Reflector<Item extends object, T extends object> {
  readonly #options: Required<ReflectorOptions<Item, T>>
  readonly #stopping = new AbortController()
  readonly #synced = Promise.withResolvers<void>()
  #aliveAt = Number.NEGATIVE_INFINITY

  constructor(options: ReflectorOptions<Item, T>) {
    this.#options = { watchSeconds: 30, ...options }
  }

  /** Returns at once; never throws. After `stop` it does nothing. */
  start(): void {
    if (this.#stopping.signal.aborted) return
    this.#loop().catch((error: unknown) => this.#options.log.warn({ err: error }, 'A watch ended for good'))
  }

  stop(): void {
    this.#stopping.abort()
    this.#synced.resolve()
  }

  /** Resolves after the first list, or when stopped. */
  get synced(): Promise<void> {
    return this.#synced.promise
  }

  /** Whether what the target has is as new as a watch can be. */
  get alive(): boolean {
    return performance.now() - this.#aliveAt < this.#options.watchSeconds * 1000 + slackMs
  }

  async #loop(): Promise<void> {
    const { api, place, labelSelector, target, log, read } = this.#options
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted; ) {
      try {
        const list = await api.list(place, labelSelector, { read })
        if (signal.aborted) return
        target.replace(list.items, versionOf(list))
        this.#aliveAt = performance.now()
        this.#synced.resolve()
        failures = 0
        await this.#follow(versionOf(list))
      } catch (error) {
        if (signal.aborted) return
        this.#aliveAt = Number.NEGATIVE_INFINITY
        if (isApiError(error) && error.status === 410) continue
        log.warn({ resource: place.kind.resource, err: error }, 'A watch broke and is made again')
        const ms = Math.min(maxDelayMs, baseDelayMs * 2 ** failures++)
        await sleep(ms * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
      }
    }
  }

  /** One watch after the other, each from where the last one ended. Rejects when one breaks. */
  async #follow(from: string): Promise<void> {
    for (let version = from; !this.#stopping.signal.aborted; ) version = await this.#watch(version)
  }

  async #watch(from: string): Promise<string> {
    const { api, place, labelSelector, watchSeconds } = this.#options
    const limit = AbortSignal.timeout(watchSeconds * 1000 + slackMs)
    const signal = AbortSignal.any([this.#stopping.signal, limit])
    const query = {
      labelSelector,
      resourceVersion: from,
      allowWatchBookmarks: true,
      timeoutSeconds: watchSeconds,
    }
    let version = from
    try {
      const stream = await api.watch(place, query, signal)
      this.#aliveAt = performance.now()
      for await (const line of linesOf(stream)) version = this.#take(JSON.parse(line)) ?? version
    } catch (error) {
      if (limit.aborted) throw new ApiError({ status: 0, message: 'The watch was silent for too long.' })
      throw error
    }
    return version
  }

  #take({ type, object }: WatchEvent<Item>): string | undefined {
    const { target, read } = this.#options
    if (type === 'ERROR')
      throw new ApiError({ status: object.code ?? 500, message: object.message ?? 'The watch failed.' })
    const facts = type === 'BOOKMARK' ? undefined : read(object)
    if (facts !== undefined && type === 'DELETED') target.drop(facts)
    else if (facts !== undefined) target.put(facts)
    return object.metadata?.resourceVersion
  }
}

const versionOf = (list: ListOf<unknown>): string => list.metadata?.resourceVersion ?? ''
