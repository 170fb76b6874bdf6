import type { Clock, TimerHandle } from '@berth/runtime'

export interface AdoptedOptions {
  clock: Clock
  pollMs: number
  /** Whether the session's runner still runs. */
  look: (session: string) => Promise<boolean>
  /** Called once per session, after its end was seen. */
  onEnd: (session: string) => void
}

/** Looks from time to time after runners that aren't our children, with one timer for all. It keeps no process alive. */
export class Adopted {
  readonly #options: AdoptedOptions
  readonly #sessions = new Set<string>()
  #timer: TimerHandle | undefined
  #closed = false

  constructor(options: AdoptedOptions) {
    this.#options = options
  }

  add(session: string): void {
    if (this.#closed) return
    this.#sessions.add(session)
    this.#arm()
  }

  drop(session: string): void {
    this.#sessions.delete(session)
  }

  close(): void {
    this.#closed = true
    this.#sessions.clear()
    if (this.#timer) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    if (this.#closed || this.#timer || this.#sessions.size === 0) return
    this.#timer = this.#options.clock.setTimeout(() => void this.#round(), this.#options.pollMs)
    this.#timer.unref()
  }

  async #round(): Promise<void> {
    for (const session of [...this.#sessions]) {
      const runs = await this.#options.look(session).catch(() => true)
      if (runs || this.#closed || !this.#sessions.delete(session)) continue
      this.#options.onEnd(session)
    }
    this.#timer = undefined
    this.#arm()
  }
}
