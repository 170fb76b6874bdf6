import type { Clock } from '@berth/runtime'

/** Lets those wait who wait for news of a session. */
export class Changes {
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  tell(session: string): void {
    const waiting = this.#waiting.get(session)
    this.#waiting.delete(session)
    for (const wake of waiting ?? []) wake()
  }

  /** Resolves with the next news, or after `ms`. */
  next(session: string, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(session) ?? new Set()
      this.#waiting.set(session, waiting)
      const done = () => {
        this.#clock.clearTimeout(timer)
        waiting.delete(done)
        if (waiting.size === 0 && this.#waiting.get(session) === waiting) this.#waiting.delete(session)
        resolve()
      }
      const timer = this.#clock.setTimeout(done, ms)
      waiting.add(done)
    })
  }
}
