import type { Clock, TimerHandle } from '@berth/runtime'
import type { Logger } from 'pino'
import { every } from '../every.ts'
import type { Outcome } from './reconcile.ts'

export interface LoopOptions {
  reconcile: (session: string) => Promise<Outcome>
  /** Sessions that may need a step: what every lost wake-up is made good by. */
  attention: () => Promise<string[]>
  clock: Clock
  log: Logger
  /** Steps at once. Default 16. */
  workers?: number
  /** Milliseconds between two looks at `attention`. Default 1,000. */
  intervalMs?: number
}

const maxRetryMs = 30_000

/** What needs a look without having asked for one gets it so often at most: whoever changed it has looked already. */
const restMs = 3000

/** Runs steps: each session at most once at a time, woken by hints, by outcomes and by the regular look. */
export class ReconcileLoop {
  readonly #options: LoopOptions
  readonly #queue = new Set<string>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #again = new Set<string>()
  readonly #timers = new Map<string, { handle: TimerHandle; since: number }>()
  readonly #failures = new Map<string, number>()
  #stopLooking: (() => Promise<void>) | undefined
  #closed = false

  constructor(options: LoopOptions) {
    this.#options = options
  }

  start(): void {
    const { clock, intervalMs = 1000 } = this.#options
    this.#stopLooking = every({ clock, ms: intervalMs }, () => this.#lookAround())
  }

  /** A session may need a step. Cheap; may come too often, too late, or for nothing. */
  wake(session: string): void {
    if (this.#closed) return
    if (this.#running.has(session)) this.#again.add(session)
    else this.#queue.add(session)
    this.#pump()
  }

  /** Begins no more steps and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { handle } of this.#timers.values()) this.#options.clock.clearTimeout(handle)
    this.#queue.clear()
    await this.#stopLooking?.()
    await Promise.all(this.#running.values())
  }

  async #lookAround(): Promise<void> {
    try {
      for (const session of await this.#options.attention())
        if (!this.#rests(session) && !this.#running.has(session)) this.wake(session)
    } catch (error) {
      this.#options.log.warn({ err: error }, 'The regular look at the sessions failed and is repeated')
    }
  }

  /** The next step has its time: always after a step that failed, and for a while after any other. */
  #rests(session: string): boolean {
    const due = this.#timers.get(session)
    if (due === undefined) return false
    return this.#failures.has(session) || this.#options.clock.now() - due.since < restMs
  }

  #pump(): void {
    for (const session of this.#queue) {
      if (this.#running.size >= (this.#options.workers ?? 16)) return
      this.#queue.delete(session)
      this.#clearTimer(session)
      this.#running.set(session, this.#run(session))
    }
  }

  async #run(session: string): Promise<void> {
    const outcome = await this.#options.reconcile(session)
    this.#running.delete(session)
    const delay = this.#delayAfter(session, outcome)
    if (this.#again.delete(session) || delay === 0) this.wake(session)
    else if (delay !== undefined) this.#schedule(session, delay)
    this.#pump()
  }

  #delayAfter(session: string, outcome: Outcome): number | undefined {
    if (outcome.kind === 'retry') {
      const failures = (this.#failures.get(session) ?? 0) + 1
      this.#failures.set(session, failures)
      return Math.min(maxRetryMs, 250 * 2 ** failures)
    }
    this.#failures.delete(session)
    return outcome.kind === 'again' ? outcome.inMs : undefined
  }

  #schedule(session: string, delayMs: number): void {
    if (this.#closed) return
    this.#clearTimer(session)
    const { clock } = this.#options
    const handle = clock.setTimeout(
      () => {
        this.#timers.delete(session)
        this.wake(session)
      },
      Math.min(delayMs, 2 ** 31 - 1),
    )
    this.#timers.set(session, { handle, since: clock.now() })
  }

  #clearTimer(session: string): void {
    const timer = this.#timers.get(session)
    if (timer !== undefined) this.#options.clock.clearTimeout(timer.handle)
    this.#timers.delete(session)
  }
}
