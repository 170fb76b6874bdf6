import { BerthError } from '@berth/contract'
import type { AppendRequest, AppendResult } from '../port.ts'
import { closedError } from '../program-store.ts'
import { appendGroup } from './append-group.ts'
import type { Outcome } from './append-state.ts'
import type { Teller } from './teller.ts'

/** Appends that wait; more are refused, so that an overload does not grow the memory. */
const maxWaiting = 10_000
/** Appends that share a transaction, and transactions at once. */
const groupSize = 64
const lanes = 4

interface Waiting {
  request: AppendRequest
  resolve(value: AppendResult): void
  reject(error: unknown): void
}

/** Puts waiting appends together into transactions; those of one session go one after the other, in the order of asking. */
export class Appender {
  readonly #teller: Teller
  readonly #busy = new Set<string>()
  #waiting: Waiting[] = []
  #running = 0
  #closed = false
  #idle = Promise.withResolvers<void>()

  constructor(teller: Teller) {
    this.#teller = teller
  }

  append(request: AppendRequest): Promise<AppendResult> {
    if (this.#closed) return Promise.reject(closedError())
    if (this.#waiting.length >= maxWaiting)
      return Promise.reject(new BerthError('unavailable', 'Too many writes wait. Try again in a moment.'))
    const { promise, resolve, reject } = Promise.withResolvers<AppendResult>()
    this.#waiting.push({ request, resolve, reject })
    // What is asked for in the same moment goes together.
    queueMicrotask(() => this.#pump())
    return promise
  }

  /** Finishes what was accepted. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#running > 0 || this.#waiting.length > 0) await this.#idle.promise
  }

  #pump(): void {
    while (this.#running < lanes) {
      const group = this.#take()
      if (group.length === 0) break
      this.#running += 1
      const sessions = new Set(group.map(({ request }) => request.session))
      for (const session of sessions) this.#busy.add(session)
      void this.#run(group).finally(() => {
        this.#running -= 1
        for (const session of sessions) this.#busy.delete(session)
        this.#pump()
        if (this.#running === 0 && this.#waiting.length === 0) this.#idle.resolve()
      })
    }
  }

  #take(): Waiting[] {
    const group: Waiting[] = []
    const rest: Waiting[] = []
    for (const one of this.#waiting)
      if (group.length < groupSize && !this.#busy.has(one.request.session)) group.push(one)
      else rest.push(one)
    this.#waiting = rest
    return group
  }

  /** A group in which one spoils the transaction for all runs again one by one. Never rejects. */
  async #run(group: readonly Waiting[]): Promise<void> {
    try {
      this.#answer(group, await this.#transact(group))
    } catch (error) {
      const isOnly = group.length === 1 || (error instanceof BerthError && error.code === 'unavailable')
      if (isOnly) for (const { reject } of group) reject(error)
      else for (const one of group) await this.#run([one])
    }
  }

  #transact(group: readonly Waiting[]): Promise<Outcome[]> {
    const requests = group.map(({ request }) => request)
    return this.#teller.transact((connection) => appendGroup(connection, requests))
  }

  #answer(group: readonly Waiting[], outcomes: readonly Outcome[]): void {
    for (const [index, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined) reject(new Error('An append has no outcome'))
      else if ('error' in outcome) reject(outcome.error)
      else resolve(outcome.value)
    }
  }
}
