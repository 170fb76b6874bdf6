/** Values for a while, at most so many: the least lately used goes first. */
export class BoundedCache<T> {
  readonly #max: number
  readonly #now: () => number
  readonly #entries = new Map<string, { value: T; until: number }>()

  constructor({ max, now }: { max: number; now: () => number }) {
    this.#max = max
    this.#now = now
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.until <= this.#now()) return undefined
    this.#entries.set(key, entry)
    return entry.value
  }

  /** `until`: milliseconds since 1970. */
  set(key: string, value: T, until: number): void {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until })
    const oldest = this.#entries.keys().next().value
    if (this.#entries.size > this.#max && oldest !== undefined) this.#entries.delete(oldest)
  }

  get size(): number {
    return this.#entries.size
  }
}
