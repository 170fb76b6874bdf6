import type { Clock } from '@berth/runtime'

/** Looks come every second; a longer time without one is a gap: the store was away, or this process or its machine slept. */
const gapMs = 5000

/**
 * Since when this backend has watched without a gap. Runners that could not be heard meanwhile were not silent: nothing that
 * lasts is concluded from the time before.
 */
export class WatchTime {
  readonly #clock: Clock
  #since: number
  #looked: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.now()
    this.#looked = this.#since
  }

  get since(): number {
    const now = this.#clock.now()
    return now - this.#looked > gapMs ? now : this.#since
  }

  /** A look at what the store knows has succeeded. */
  looked(): void {
    this.#since = this.since
    this.#looked = this.#clock.now()
  }
}
