import type { GateRuling, ToolUse } from './permission-gate.ts'

/** What was ruled on uses of tools. */
export interface Rulings {
  /** The uses on which there is a ruling, by their ids (at most 200 characters). */
  readonly ruled: Set<string>
  /** The ruling on this use from before, for the input that it has now. */
  before(use: ToolUse): Promise<GateRuling> | undefined
  remember(use: ToolUse, ruling: Promise<GateRuling>): void
}

const maxRemembered = 1000

const trim = <T>(collection: { size: number; delete(key: T): boolean; keys(): Iterable<T> }) => {
  for (const key of collection.keys()) {
    if (collection.size <= maxRemembered) return
    collection.delete(key)
  }
}

const idOf = ({ id }: ToolUse): string => id.slice(0, 200)

/** Remembers rulings by tool use, so that Claude Code's second question about one gets the same answer. */
export const createRulings = (): Rulings => {
  const ruled = new Set<string>()
  // Without the input, which may be long: who asks again brings it along.
  const known = new Map<string, Promise<{ behavior: 'allow' } | Extract<GateRuling, { behavior: 'deny' }>>>()
  return {
    ruled,
    before: (use) =>
      known
        .get(idOf(use))
        ?.then((ruling) => (ruling.behavior === 'allow' ? { behavior: 'allow', input: use.input } : ruling)),
    remember(use, ruling) {
      const short = ruling.then((made): Awaited<typeof made> | { behavior: 'allow' } =>
        made.behavior === 'allow' ? { behavior: 'allow' } : made,
      )
      known.set(idOf(use), short)
      ruled.add(idOf(use))
      trim(known)
      trim(ruled)
    },
  }
}
