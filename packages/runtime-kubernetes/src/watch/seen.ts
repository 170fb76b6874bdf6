import type { ReflectorTarget } from './reflector.ts'

interface Versioned {
  namespace: string
  name: string
  uid: string
  version: string
  session: string
  generation: number
}

/** Deleted objects that are remembered, so that an old answer does not bring one back. */
const maxTombs = 5000

/** What is known of Jobs or of pods, by session. Answers come from lists and from the watch, in any order. */
export class Seen<Facts extends Versioned> implements ReflectorTarget<Facts> {
  readonly #onChange: (facts: Facts) => void
  readonly #bySession = new Map<string, Map<string, Facts>>()
  readonly #tombs = new Set<string>()

  constructor(onChange: (facts: Facts) => void) {
    this.#onChange = onChange
  }

  of(session: string): Facts[] {
    return [...(this.#bySession.get(session)?.values() ?? [])]
  }

  sessions(): string[] {
    return [...this.#bySession.keys()]
  }

  /** All that there is as of `version`. */
  replace(items: Facts[], version: string): void {
    this.#replaceAmong(
      [...this.#bySession.values()].flatMap((map) => [...map.values()]),
      items,
      version,
    )
  }

  /** All that there is of these sessions as of `version`. */
  replaceOf(sessions: readonly string[], items: Facts[], version: string): void {
    this.#replaceAmong(
      sessions.flatMap((session) => this.of(session)),
      items,
      version,
    )
  }

  #replaceAmong(known: Facts[], facts: Facts[], version: string): void {
    const present = new Set(facts.map(({ uid }) => uid))
    // What was made after the list was written is not in it, and is there all the same.
    for (const each of known)
      if (!present.has(each.uid) && !isNewer(each.version, version)) this.#remove(each)
    for (const each of facts) this.#store(each)
  }

  put(facts: Facts): void {
    this.#store(facts)
  }

  /** Its last state comes with the news that it is gone, and may say how it ended. */
  drop(facts: Facts): void {
    this.#store(facts)
    this.#remove(facts)
  }

  #store(facts: Facts): void {
    if (this.#tombs.has(facts.uid)) return
    const map = this.#bySession.get(facts.session) ?? new Map<string, Facts>()
    const before = map.get(facts.uid)
    if (before !== undefined && !isNewer(facts.version, before.version)) return
    map.set(facts.uid, facts)
    this.#bySession.set(facts.session, map)
    this.#onChange(facts)
  }

  #remove(facts: Facts): void {
    const map = this.#bySession.get(facts.session)
    if (map?.delete(facts.uid) !== true) return
    if (map.size === 0) this.#bySession.delete(facts.session)
    this.#bury(facts.uid)
    this.#onChange(facts)
  }

  #bury(uid: string): void {
    this.#tombs.add(uid)
    const [oldest] = this.#tombs
    if (this.#tombs.size > maxTombs && oldest !== undefined) this.#tombs.delete(oldest)
  }
}

/** An answer to a request of ours can be newer than what the watch brings next. */
const isNewer = (version: string, before: string): boolean => {
  const [a, b] = [Number(version), Number(before)]
  return Number.isNaN(a) || Number.isNaN(b) || before === '' ? version !== before : a > b
}
