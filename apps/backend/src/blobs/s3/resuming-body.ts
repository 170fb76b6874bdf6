import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { BerthError } from '@berth/contract'
import { blobFault, isMissing } from './fault.ts'

export interface ResumingBodyOptions {
  /** SHA-256 of the whole. */
  blob: string
  size: number
  /** The bytes from the first on. */
  first: Readable
  /** Opens the bytes from there on. */
  open(from: number, signal: AbortSignal): Promise<Readable>
  /** Failures in a row, without a byte between them, after which it gives up. Default: 4. */
  attempts?: number
  /** Before the first new attempt; doubles. Default: 200. */
  delayMs?: number
}

/**
 * The bytes of a blob. A connection that breaks, or that the store closes because the reader is slow, goes on where it was;
 * bytes that are not those of the name fail at the end.
 */
export class ResumingBody extends Readable {
  readonly #options: ResumingBodyOptions
  readonly #gone = new AbortController()
  readonly #hash = createHash('sha256')
  #body: Readable | undefined
  #chunks: AsyncIterator<Buffer> | undefined
  #at = 0
  #failures = 0

  constructor(options: ResumingBodyOptions) {
    super()
    this.#options = options
    this.#attach(options.first)
  }

  override _read(): void {
    this.#pull().catch((error) => this.destroy(error))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#gone.abort()
    this.#body?.destroy()
    done(error)
  }

  async #pull(): Promise<void> {
    const { size, blob } = this.#options
    const chunk = await this.#next()
    if (this.destroyed) return
    if (chunk !== undefined) {
      this.#at += chunk.length
      this.#hash.update(chunk)
      this.push(chunk)
    } else if (this.#at === size && this.#hash.digest('hex') === blob) this.push(null)
    else
      throw new BerthError('unavailable', `The blob store gave other bytes than those of ${blob}. Try again.`)
  }

  /** Undefined: that was all. */
  async #next(): Promise<Buffer | undefined> {
    const { size, open } = this.#options
    for (;;) {
      try {
        if (this.#at >= size) return undefined
        if (this.#chunks === undefined) this.#attach(await open(this.#at, this.#gone.signal))
        const item = await this.#chunks?.next()
        if (item?.done !== false) throw new Error('the connection ended early')
        this.#failures = 0
        return item.value
      } catch (error) {
        await this.#failed(error)
      }
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { attempts = 4, delayMs = 200, blob } = this.#options
    this.#body?.destroy()
    this.#body = undefined
    this.#chunks = undefined
    this.#failures += 1
    if (isMissing(error))
      throw new BerthError('blob_not_found', `The blob ${blob} was removed while it was read.`)
    if (this.#failures >= attempts || this.#gone.signal.aborted) throw blobFault(error)
    await sleep(delayMs * 2 ** (this.#failures - 1), undefined, { signal: this.#gone.signal })
  }

  #attach(body: Readable): void {
    // It may fail before anybody reads it; then the first read finds that out.
    body.on('error', () => undefined)
    this.#body = body
    this.#chunks = body[Symbol.asyncIterator]()
  }
}
