interface Sized {
  project: string
  wantedMiB?: number
}

/** What is left of the quotas of memory that projects have, while one after the other gets room. */
export class MemoryQuotas {
  /** MiB that sessions of each project have. */
  readonly used = new Map<string, number>()
  readonly #limits: ReadonlyMap<string, number>
  /** Projects in which one waits that will fit: what becomes free is kept for it. */
  readonly #kept = new Set<string>()

  constructor(live: readonly Sized[], limits: ReadonlyMap<string, number>) {
    this.#limits = limits
    for (const session of live) this.take(session)
  }

  take({ project, wantedMiB = 0 }: Sized): void {
    this.used.set(project, (this.used.get(project) ?? 0) + wantedMiB)
  }

  /**
   * Whether there is too little left for the next one in order. Those after it wait too, unless it wants more than the whole
   * quota, which was lowered then: it would hold them up for ever.
   */
  lacks({ project, wantedMiB = 0 }: Sized): boolean {
    const limit = this.#limits.get(project) ?? Infinity
    if (this.#kept.has(project)) return true
    const lacks = (this.used.get(project) ?? 0) + wantedMiB > limit
    if (lacks && wantedMiB <= limit) this.#kept.add(project)
    return lacks
  }
}
