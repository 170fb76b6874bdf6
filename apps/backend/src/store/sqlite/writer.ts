import { Worker } from 'node:worker_threads'
import { BerthError } from '@berth/contract'
import type { AuditDraft } from '../audit-store.ts'
import type { Operation, Operations } from '../operations.ts'
import type { Notice } from '../port.ts'
import { fromFault } from './fault.ts'
import type { FromWriter, Job, Reply, WriterData } from './protocol.ts'

/** The most jobs that wait for the thread; more are refused, so that an overload does not grow the memory. */
const maxWaiting = 10_000

interface Waiting {
  resolve: (value: never) => void
  reject: (error: Error) => void
}

interface WriterOptions {
  /** The store's own time. */
  now: () => number
  onNotice: (notice: Notice) => void
}

/** The one writer of a database, in a thread of its own: what waits is committed together. */
export class Writer {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #now: () => number
  readonly #onNotice: (notice: Notice) => void
  readonly #ready = Promise.withResolvers<void>()
  readonly #closed = Promise.withResolvers<void>()
  #nextId = 1
  #end: Error | undefined

  constructor(data: WriterData, { now, onNotice }: WriterOptions) {
    this.#now = now
    this.#onNotice = onNotice
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), { workerData: data })
    this.#worker.on('message', (message: FromWriter) => this.#receive(message))
    this.#worker.on('error', (error) => this.#stop(error))
    this.#worker.on('exit', () => this.#stop(new Error('it ended')))
    this.#ready.promise.catch(() => undefined)
  }

  /** Resolves when the thread has opened the database. */
  ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Resolves when it is durable. Who watches is told before, in the order of commit. */
  run<K extends Operation>(
    operation: K,
    input: Operations[K]['input'],
    audit?: AuditDraft,
  ): Promise<Operations[K]['value']> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    if (this.#waiting.size >= maxWaiting)
      return Promise.reject(new BerthError('unavailable', 'Too many writes wait. Try again in a moment.'))
    const { promise, resolve, reject } = Promise.withResolvers<Operations[K]['value']>()
    const id = this.#nextId++
    this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
    this.#worker.postMessage({ id, operation, input, time: this.#now(), audit } as Job)
    return promise
  }

  /** Finishes what was accepted, moves the write-ahead log into the database and ends the thread. */
  async close(): Promise<void> {
    if (this.#end === undefined) {
      this.#end = new BerthError('unavailable', 'The store is closed.')
      this.#worker.postMessage('close')
    }
    await this.#closed.promise
  }

  /** Ends the thread at once; what waits is rejected. */
  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  #receive(message: FromWriter) {
    if (message === 'ready') this.#ready.resolve()
    else if (message !== 'closed') for (const reply of message) this.#answer(reply)
  }

  #answer(reply: Reply) {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if ('fault' in reply) return waiting?.reject(fromFault(reply.fault))
    if (reply.notice !== undefined) this.#onNotice(reply.notice)
    waiting?.resolve(reply.value as never)
  }

  /** The thread ended: as it should after `close`, or by a fault. */
  #stop(cause: Error) {
    const message = `The store's writer ended (${cause.message}). Restart the backend.`
    this.#end ??= Object.assign(new BerthError('unavailable', message), { cause })
    this.#ready.reject(cause)
    for (const { reject } of this.#waiting.values()) reject(this.#end)
    this.#waiting.clear()
    this.#closed.resolve()
  }
}
