import type { Clock } from '@berth/runtime'

export interface LimiterOptions {
  /** Starts a second, in the long run. */
  qps: number
  /** Starts that may follow at once after a pause. */
  burst: number
  /** Tasks under way at once. */
  parallel: number
  clock: Clock
}

/** Lets tasks start in the order of asking, no more a second and no more at once than the API server should see of us. */
export class Limiter {
  readonly #options: LimiterOptions
  readonly #waiting: (() => void)[] = []
  #running = 0
  #tokens: number
  #filledAt: number
  #timerIsSet = false

  constructor(options: LimiterOptions) {
    this.#options = options
    this.#tokens = options.burst
    this.#filledAt = options.clock.now()
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      this.#admit()
    })
    try {
      return await task()
    } finally {
      this.#running--
      this.#admit()
    }
  }

  #admit(): void {
    const { parallel, clock, qps } = this.#options
    this.#fill()
    while (this.#running < parallel && this.#tokens >= 1) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#running++
      this.#tokens--
      next()
    }
    if (this.#waiting.length === 0 || this.#tokens >= 1 || this.#timerIsSet) return
    this.#timerIsSet = true
    clock.setTimeout(
      () => {
        this.#timerIsSet = false
        this.#admit()
      },
      Math.ceil(((1 - this.#tokens) * 1000) / qps),
    )
  }

  #fill(): void {
    const { clock, qps, burst } = this.#options
    const now = clock.now()
    const passed = Math.max(0, now - this.#filledAt)
    this.#tokens = Math.min(burst, this.#tokens + (passed * qps) / 1000)
    this.#filledAt = now
  }
}
