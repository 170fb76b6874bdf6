import { BerthError } from '@berth/contract'
import type { Store } from '../store/port.ts'

/** Milliseconds after which one who waits looks without having been told: another backend's notice may be lost. */
const lookMs = 1000

/** Waits for what the store will say of a session. */
export class Watcher {
  readonly #wakers = new Map<string, Set<() => void>>()
  readonly #closed = new AbortController()
  readonly #stop: () => void

  constructor(store: Pick<Store, 'watch'>) {
    this.#stop = store.watch(({ session }) => {
      for (const wake of this.#wakers.get(session) ?? []) wake()
    })
  }

  /** What `look` gives as soon as it gives anything; undefined when the signal aborts first. */
  async until<T>(
    session: string,
    look: () => Promise<T | undefined>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const bell = this.#bell(session, signal)
    try {
      for (;;) {
        const found = await look()
        if (found !== undefined || signal.aborted) return found
        if (this.#closed.signal.aborted)
          throw new BerthError('unavailable', 'This backend is stopping. Try again in a moment.')
        await bell.next()
      }
    } finally {
      bell.end()
    }
  }

  close(): void {
    this.#stop()
    this.#closed.abort()
  }

  /** Rings when something happened to a session, and from time to time; a ring that nobody heard is kept. */
  #bell(session: string, signal: AbortSignal) {
    let rung = false
    let resume: (() => void) | undefined
    const wake = () => {
      rung = true
      resume?.()
    }
    const wakers = this.#wakers.get(session) ?? new Set()
    wakers.add(wake)
    this.#wakers.set(session, wakers)
    const ends = [signal, this.#closed.signal]
    for (const end of ends) end.addEventListener('abort', wake)
    const timer = setInterval(wake, lookMs)
    return {
      next: async () => {
        if (!rung)
          await new Promise<void>((resolve) => {
            resume = resolve
          })
        resume = undefined
        rung = false
      },
      end: () => {
        clearInterval(timer)
        for (const end of ends) end.removeEventListener('abort', wake)
        wakers.delete(wake)
        if (wakers.size === 0 && this.#wakers.get(session) === wakers) this.#wakers.delete(session)
      },
    }
  }
}
