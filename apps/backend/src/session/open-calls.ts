/** Calls of sessions that are under way, each session with at most so many at once. */
export class OpenCalls {
  readonly #most: number
  readonly #open = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** Counts one more; throws what `busy` makes of their number when there are enough. Call what it returns when it is over. */
  enter(session: string, busy: (open: number) => Error): () => void {
    const open = this.#open.get(session) ?? 0
    if (open >= this.#most) throw busy(open)
    this.#open.set(session, open + 1)
    let left = false
    return () => {
      if (left) return
      left = true
      const now = (this.#open.get(session) ?? 1) - 1
      if (now > 0) this.#open.set(session, now)
      else this.#open.delete(session)
    }
  }
}
