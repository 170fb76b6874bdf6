import type { Clock, TimerHandle } from '@berth/runtime'
import type { Logger } from 'pino'
import type { Store } from '../store/port.ts'

/** How long a lease is another's after its holder died; while work lasts, it is renewed three times as often. */
const leaseMs = 10_000

export interface LeasesOptions {
  store: Pick<Store, 'lease' | 'release'>
  clock: Clock
  log: Logger
  /** Names this backend. */
  holder: string
}

/** A lease that is held. */
export interface Lease {
  /** Throws when another backend may hold it by now: nothing is to be done to the world outside of the store any more. */
  check(): void
}

/**
 * Shares work among backends: what is done under a lease is done by one of them at a time. A lease that its holder can't
 * renew runs out, so work asks whether it still holds before each effect that no transaction fences.
 */
export class Leases {
  readonly #options: LeasesOptions
  readonly #kept = new Map<string, number>()
  #working = 0

  constructor(options: LeasesOptions) {
    this.#options = options
  }

  /** Leases that are held now. */
  get held(): number {
    const now = this.#options.clock.now()
    return this.#working + [...this.#kept.values()].filter((until) => until > now).length
  }

  /**
   * Works while it holds a lease, which is renewed for as long as the work takes. Undefined when another holds it. Rejects as
   * the work does, or when the store can't be asked.
   */
  async run<T>(
    name: string,
    work: (lease: Lease) => Promise<T>,
    { ttlMs = leaseMs }: { ttlMs?: number } = {},
  ): Promise<T | undefined> {
    const { clock } = this.#options
    const renewal = new Renewal(this.#options, { name, ttlMs })
    if (!(await renewal.take())) return undefined
    this.#working += 1
    try {
      return await work({
        check: () => {
          if (clock.now() >= renewal.until)
            throw new Error(`The lease ${name} ran out before its work was done.`)
        },
      })
    } finally {
      this.#working -= 1
      await renewal.end()
    }
  }

  /** Takes a lease, or still has it, for work that comes again and again: it is given back by `close`. */
  async keep(name: string, ttlMs: number): Promise<boolean> {
    const { store, clock, holder } = this.#options
    const now = clock.now()
    if ((this.#kept.get(name) ?? 0) - now > ttlMs / 2) return true
    const has = await store.lease(name, holder, ttlMs)
    if (has) this.#kept.set(name, now + ttlMs)
    else this.#kept.delete(name)
    return has
  }

  /** Gives back what is kept. Never rejects: what can't be given back runs out. */
  async close(): Promise<void> {
    const { store, holder, log } = this.#options
    const failed = (error: unknown) => log.warn({ err: error }, 'A lease was not released')
    await Promise.all([...this.#kept.keys()].map((name) => store.release(name, holder).catch(failed)))
    this.#kept.clear()
  }
}

/** Keeps one lease for as long as it is wanted. */
class Renewal {
  readonly #options: LeasesOptions
  readonly #lease: { name: string; ttlMs: number }
  #timer: TimerHandle | undefined
  #renewing: Promise<void> = Promise.resolve()
  #done = false
  /** By this backend's clock, counted from before the store was asked: never later than what the store thinks. */
  until = 0

  constructor(options: LeasesOptions, lease: { name: string; ttlMs: number }) {
    this.#options = options
    this.#lease = lease
  }

  async take(): Promise<boolean> {
    const { store, clock, holder } = this.#options
    const { name, ttlMs } = this.#lease
    const asked = clock.now()
    const has = await store.lease(name, holder, ttlMs)
    this.until = has ? asked + ttlMs : 0
    if (has) this.#renewLater()
    return has
  }

  async end(): Promise<void> {
    const { store, clock, holder, log } = this.#options
    const { name } = this.#lease
    this.#done = true
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    // Else it might take again what was just given back.
    await this.#renewing
    const kept = (error: unknown) => log.warn({ lease: name, err: error }, 'A lease was not released')
    await store.release(name, holder).catch(kept)
  }

  #renewLater(): void {
    const renew = () => {
      this.#renewing = this.#renew()
    }
    if (!this.#done) this.#timer = this.#options.clock.setTimeout(renew, Math.floor(this.#lease.ttlMs / 3))
  }

  async #renew(): Promise<void> {
    const { log } = this.#options
    const { name } = this.#lease
    try {
      if (!(await this.take())) log.warn({ lease: name }, 'A lease was lost to another backend')
    } catch (error) {
      log.warn({ lease: name, err: error }, 'A lease was not renewed')
      this.#renewLater()
    }
  }
}
