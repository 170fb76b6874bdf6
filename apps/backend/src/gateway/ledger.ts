import { type EventData, isBerthError } from '@berth/contract'
import type { Logger } from 'pino'
import { readSpending, type SpendingSource } from '../session/read-spending.ts'
import { type SessionService, systemActor } from '../session/service.ts'
import type { Store } from '../store/port.ts'

export interface LedgerOptions {
  service: Pick<SessionService, 'run' | 'settingsOf'>
  store: SpendingSource['store'] & Pick<Store, 'eventsOfType'>
  now: () => number
  log: Logger
  /** Milliseconds between two tries to store what is kept. Default: 1,000. */
  retryMs?: number
}

/** What one request used. */
export interface Metered {
  project: string
  /** `user`: whose budget it counts against. */
  data: EventData<'model.usage'> & { user: string }
}

/** Of a session's last requests so many are compared with one of which nobody knows whether it was stored. */
const recent = 100

/**
 * Stores what was metered. What can't be stored now (the disk is full, the database away) is kept, tried again from time to time,
 * and stored before its session may ask here again: a model that nobody can count is not asked. As many are kept as a
 * session's requests at once, which the door bounds.
 */
export class Ledger {
  readonly #options: LedgerOptions
  readonly #kept = new Map<string, Metered[]>()
  readonly #expected = new Map<string, Set<Promise<void>>>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** An answer ends, and is about to be counted: call back when it was. */
  expect(session: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const all = this.#expected.get(session) ?? new Set()
    this.#expected.set(session, all.add(promise))
    return () => {
      resolve()
      all.delete(promise)
      if (all.size === 0) this.#expected.delete(session)
    }
  }

  /** Never rejects. */
  async add(session: string, usage: Metered): Promise<void> {
    try {
      await this.#store(session, usage)
    } catch (error) {
      if (isGone(error)) return
      this.#options.log.error({ err: error, session }, 'What the model used could not be stored yet')
      this.#kept.set(session, [...(this.#kept.get(session) ?? []), usage])
      this.#retryLater()
    }
  }

  /** Answers of a session that are not in its log yet; more than any number when one could not be stored. */
  owed(session: string): number {
    return this.#kept.has(session) ? Number.POSITIVE_INFINITY : (this.#expected.get(session)?.size ?? 0)
  }

  /** Waits for what is being counted and stores what was kept of a session; rejects when that is still not possible. */
  async settle(session: string): Promise<void> {
    const expected = this.#expected.get(session)
    if (expected !== undefined) await soon(Promise.all(expected))
    for (let next = this.#take(session); next !== undefined; next = this.#take(session))
      try {
        if (!(await this.#isStored(session, next))) await this.#store(session, next)
      } catch (error) {
        if (isGone(error)) continue
        this.#kept.set(session, [next, ...(this.#kept.get(session) ?? [])])
        throw error
      }
  }

  /** Waits for what is being counted, and tries once more to store what is kept. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await soon(Promise.all([...this.#expected.values()].flatMap((all) => [...all])))
    await this.#settleAll()
    const lost = [...this.#kept.values()].flat().length
    if (lost > 0) this.#options.log.error({ requests: lost }, 'What the model used could not be stored')
  }

  /** Whoever comes after this backend does not know what it keeps, and another one may be asked next. */
  #retryLater(): void {
    if (this.#closed || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#settleAll().then(() => {
        if (this.#kept.size > 0) this.#retryLater()
      })
    }, this.#options.retryMs ?? 1000)
    this.#timer.unref()
  }

  async #settleAll(): Promise<void> {
    for (const session of [...this.#kept.keys()])
      try {
        await this.settle(session)
      } catch {
        // Kept, as it was told when it was; those of other sessions can't be stored now either.
        return
      }
  }

  async #store(session: string, { project, data }: Metered): Promise<void> {
    const { service, now } = this.#options
    // What counts now, not what counted when the model was asked.
    const { spending } = await readSpending(this.#options, { project, user: data.user }, now())
    const command = { kind: 'usage', actor: systemActor('gateway'), data, spending } as const
    await service.run({ session, command })
  }

  /** A try whose answer was lost may have stored it: charged twice would be wrong, too. */
  async #isStored(session: string, { data: { request } }: Metered): Promise<boolean> {
    if (request === undefined) return false
    const last = await this.#options.store.eventsOfType(session, { type: 'model.usage', limit: recent })
    return last.some(({ json }) => json.includes(`"request":"${request}"`))
  }

  #take(session: string): Metered | undefined {
    const [next, ...rest] = this.#kept.get(session) ?? []
    if (rest.length > 0) this.#kept.set(session, rest)
    else this.#kept.delete(session)
    return next
  }
}

/** An upstream that says the end, but doesn't close its answer, holds nobody up. */
const patienceMs = 1000

/** Waits for something, but not for long. */
export const soon = async (work: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

/** The session was purged: there is nothing left to charge. */
const isGone = (error: unknown): boolean => isBerthError(error) && error.code === 'session_not_found'
