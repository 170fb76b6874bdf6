import type { SessionSummary } from '@berth/contract'

/** They change with every event, so lists are not pushed for them alone; a list that is read has them as they are. */
const unlisted: ReadonlySet<string> = new Set(['seq', 'updatedAt'])

/** Whether two summaries look the same in a list: everything but `seq` and `updatedAt` is equal. */
export const sameListed = (before: SessionSummary, after: SessionSummary): boolean => {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof SessionSummary>
  for (const name of names)
    if (!unlisted.has(name) && before[name] !== after[name])
      if (JSON.stringify(before[name]) !== JSON.stringify(after[name])) return false
  return true
}
