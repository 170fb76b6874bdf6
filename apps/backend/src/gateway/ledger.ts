import { isBerthError } from '@berth/contract'
import type { Logger } from 'pino'
import type { Command } from '../session/command.ts'
import type { SessionService } from '../session/service.ts'

type Usage = Extract<Command, { kind: 'usage' }>

export interface LedgerOptions {
  service: Pick<SessionService, 'run'>
  log: Logger
}

/**
 * Stores what was metered. What can't be stored now (the disk is full) is kept, and stored before its session may ask again: a
 * model that nobody can count is not asked. As many are kept as a session's requests at once, which the door bounds.
 */
export class Ledger {
  readonly #options: LedgerOptions
  readonly #kept = new Map<string, Usage[]>()
  readonly #expected = new Map<string, Set<Promise<void>>>()

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
  async add(session: string, usage: Usage): Promise<void> {
    try {
      await this.#options.service.run({ session, command: usage })
    } catch (error) {
      if (isGone(error)) return
      this.#options.log.error({ err: error, session }, 'What the model used could not be stored yet')
      this.#kept.set(session, [...(this.#kept.get(session) ?? []), usage])
    }
  }

  /** Waits for what is being counted and stores what was kept of a session; rejects when that is still not possible. */
  async settle(session: string): Promise<void> {
    const expected = this.#expected.get(session)
    if (expected !== undefined) await soon(Promise.all(expected))
    for (let next = this.#take(session); next !== undefined; next = this.#take(session))
      try {
        await this.#options.service.run({ session, command: next })
      } catch (error) {
        if (isGone(error)) continue
        this.#kept.set(session, [next, ...(this.#kept.get(session) ?? [])])
        throw error
      }
  }

  #take(session: string): Usage | undefined {
    const [next, ...rest] = this.#kept.get(session) ?? []
    if (rest.length > 0) this.#kept.set(session, rest)
    else this.#kept.delete(session)
    return next
  }
}

/** An upstream that says the end, but doesn't close its answer, holds nobody up. */
const patienceMs = 1000

const soon = async (work: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}

/** The session was purged: there is nothing left to charge. */
const isGone = (error: unknown): boolean => isBerthError(error) && error.code === 'session_not_found'
