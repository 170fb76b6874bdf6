/** Milliseconds that a key rests which was refused, and the most that an upstream can ask for. */
const refusedMs = 60_000
const maxRestMs = 300_000
/** Keys that are remembered. */
const maxKeys = 1000

/**
 * Which keys were refused or at their limit a moment ago, in this process: they are tried last. A rest is short, so that a key
 * which was repaired at the provider is soon the first again.
 */
export class KeyRest {
  readonly #until = new Map<string, number>()

  /** In their order, those that rest at the end: whose rest ends first comes first. */
  order<T extends { id: string }>(keys: readonly T[], now: number): T[] {
    const until = (key: T): number => {
      const end = this.#until.get(key.id) ?? 0
      return end > now ? end : 0
    }
    return keys.toSorted((a, b) => until(a) - until(b))
  }

  /** A key was refused with this status. */
  refused(id: string, { now, retryAfter }: { now: number; retryAfter: string | undefined }): void {
    const seconds = Number(retryAfter)
    const asked = retryAfter !== undefined && seconds >= 0 ? seconds * 1000 : refusedMs
    this.#until.delete(id)
    const [oldest] = this.#until.keys()
    if (this.#until.size >= maxKeys && oldest !== undefined) this.#until.delete(oldest)
    this.#until.set(id, now + Math.min(asked, maxRestMs))
  }

  accepted(id: string): void {
    this.#until.delete(id)
  }
}
