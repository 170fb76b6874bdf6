/** Counts by key, forgetting the longest unused beyond a limit. */
export interface Counters {
  /** Adds one and gives the new count, from 1. */
  next(key: string): number
  clear(): void
}

export function createCounters(limit: number): Counters {
  const counts = new Map<string, number>()
  return {
    next(key) {
      const count = (counts.get(key) ?? 0) + 1
      counts.delete(key)
      counts.set(key, count)
      if (counts.size > limit) {
        const [oldest] = counts.keys()
        if (oldest !== undefined) counts.delete(oldest)
      }
      return count
    },
    clear: () => counts.clear(),
  }
}
