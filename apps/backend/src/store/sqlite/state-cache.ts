import type { SessionState } from '@berth/contract'

/** A session as the writer knows it. */
export interface CachedSession {
  number: number
  state: SessionState
  /** The state's summary as JSON. */
  summary: string
  /** About what it takes in memory. */
  bytes: number
}

/**
 * The states of the sessions that were written to last, bounded by count and bytes. Right because there is only one writer:
 * what a rolled back transaction put here must be forgotten.
 */
export class StateCache {
  readonly #limits: { sessions: number; bytes: number }
  readonly #sessions = new Map<string, CachedSession>()
  readonly #uncommitted = new Set<string>()
  #bytes = 0

  constructor(limits: { sessions: number; bytes: number }) {
    this.#limits = limits
  }

  get(id: string): CachedSession | undefined {
    const session = this.#sessions.get(id)
    if (session === undefined) return undefined
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    return session
  }

  set(id: string, session: CachedSession): void {
    this.delete(id)
    this.#sessions.set(id, session)
    this.#bytes += session.bytes
    this.#uncommitted.add(id)
    for (const [oldest] of this.#sessions) {
      if (this.#sessions.size <= this.#limits.sessions && this.#bytes <= this.#limits.bytes) break
      this.delete(oldest)
    }
  }

  delete(id: string): void {
    this.#bytes -= this.#sessions.get(id)?.bytes ?? 0
    this.#sessions.delete(id)
  }

  committed(): void {
    this.#uncommitted.clear()
  }

  rolledBack(): void {
    for (const id of this.#uncommitted) this.delete(id)
    this.#uncommitted.clear()
  }
}
