/** Gathers what is asked for at about the same time into few tasks; a task begins after all that it answers were asked. */
export class Batch {
  readonly #task: (keys: string[]) => Promise<void>
  readonly #size: number
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>()
  #isRunning = false

  constructor(task: (keys: string[]) => Promise<void>, size: number) {
    this.#task = task
    this.#size = size
  }

  /** Resolves after a task for the key that began after this call. Rejects when it fails. */
  add(key: string): Promise<void> {
    const waiting = this.#waiting.get(key) ?? Promise.withResolvers<void>()
    this.#waiting.set(key, waiting)
    if (!this.#isRunning) {
      this.#isRunning = true
      setImmediate(() => this.#run())
    }
    return waiting.promise
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, this.#size)
      for (const [key] of batch) this.#waiting.delete(key)
      try {
        await this.#task(batch.map(([key]) => key))
        for (const [, { resolve }] of batch) resolve()
      } catch (error) {
        for (const [, { reject }] of batch) reject(error)
      }
    }
    this.#isRunning = false
  }
}
