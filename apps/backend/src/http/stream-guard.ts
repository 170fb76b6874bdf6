import { type ErrorCode, isBerthError } from '@berth/contract'

/** Says whether somebody may still have what they were given. */
export interface Guard {
  /** Guards with the same key have the same answer: they are asked once. */
  key: string
  /** Rejects with the reason when not. */
  check: () => Promise<void>
}

/** What is watched: told once, when it is over. */
export interface Guarded {
  guard: Guard
  /** The right is gone, for this reason. */
  revoked: (reason: { code: ErrorCode; detail: string }) => void
  /** For long nobody could say whether the right is there. */
  unknown: () => void
}

export interface GuardsOptions {
  /** Between two rounds, in milliseconds. Default: 3000. */
  everyMs?: number
  /** What can't be checked for so long, in milliseconds, is over. Default: 30,000. */
  patienceMs?: number
  now?: () => number
}

/** Guards that are asked at once: many readers cost a round some time, and never a pause of the process. */
const atOnce = 16

/**
 * Asks again and again whether rights are still there, for what was given once and goes on: streams. A change that was made
 * anywhere counts within a round; one that was made here at once, by `recheck`.
 */
export class Guards {
  readonly #guarded = new Set<Guarded>()
  readonly #failing = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  readonly #patienceMs: number
  readonly #now: () => number
  #round: Promise<void> | undefined
  #again = false

  constructor({ everyMs = 3000, patienceMs = 30_000, now = Date.now }: GuardsOptions = {}) {
    this.#patienceMs = patienceMs
    this.#now = now
    this.#timer = setInterval(() => this.recheck(), everyMs)
    this.#timer.unref()
  }

  add(guarded: Guarded): () => void {
    this.#guarded.add(guarded)
    return () => void this.#guarded.delete(guarded)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Begins a round now; one that runs already is followed by another, because it may have looked too early. */
  recheck(): void {
    if (this.#round !== undefined) {
      this.#again = true
      return
    }
    this.#round = this.#askAll().finally(() => {
      this.#round = undefined
      if (!this.#again) return
      this.#again = false
      this.recheck()
    })
  }

  async #askAll(): Promise<void> {
    const groups = Map.groupBy(this.#guarded, ({ guard }) => guard.key)
    for (const key of this.#failing.keys()) if (!groups.has(key)) this.#failing.delete(key)
    const rest = groups.values()
    const work = async () => {
      for (const group of rest) await this.#ask(group)
    }
    await Promise.all(Array.from({ length: Math.min(atOnce, groups.size) }, work))
  }

  async #ask(group: Guarded[]): Promise<void> {
    const guard = group[0]?.guard
    if (guard === undefined) return
    try {
      await guard.check()
      this.#failing.delete(guard.key)
    } catch (error) {
      if (isBerthError(error) && endsRight(error.code))
        for (const one of group) one.revoked({ code: error.code, detail: error.message })
      else this.#fail(guard.key, group)
    }
  }

  /** A store that is away for a moment takes no right from anybody; one that stays away gives none either. */
  #fail(key: string, group: Guarded[]): void {
    const since = this.#failing.get(key) ?? this.#now()
    this.#failing.set(key, since)
    if (this.#now() - since < this.#patienceMs) return
    for (const one of group) one.unknown()
  }
}

const endsRight = (code: ErrorCode): boolean =>
  code === 'unauthenticated' || code === 'forbidden' || code.endsWith('_not_found')
