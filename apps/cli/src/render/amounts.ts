import type { DiffStat, SessionSummary, Usage } from '@berth/contract'
import type { Style } from '../terminal/style.ts'
import { duration } from './duration.ts'

/** Bytes in few characters: `12 B`, `4.0 KB`, `3.2 MB`. */
export const bytes = (size: number): string => {
  if (size < 1024) return `${size} B`
  const units = ['KB', 'MB', 'GB', 'TB']
  let value = size
  let unit = ''
  for (const next of units) {
    if (value < 1024) break
    value /= 1024
    unit = next
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`
}

/** `2 files +10 −3`, or nothing when nothing differs. */
export const diffStatText = ({ files, insertions, deletions }: DiffStat, style: Style): string => {
  if (files === 0) return ''
  const counts = `${style.green(`+${insertions}`)} ${style.red(`−${deletions}`)}`
  return `${files} ${files === 1 ? 'file' : 'files'} ${counts}`
}

/** Tokens and cost: `12.3k tokens · $0.04`; without a cost when there is none, or its price isn't known. */
export const usageText = ({
  inputTokens,
  outputTokens,
  cacheReadTokens,
  cacheWriteTokens,
  costUsd,
}: Usage): string => {
  const tokens = inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens
  if (tokens === 0) return ''
  const cost = costText({ costUsd })
  return `${thousands(tokens)} tokens${cost === '' ? '' : ` · ${cost}`}`
}

/** `$0.0400`, `$12.50`; nothing when there is none, or its price isn't known. */
export const costText = ({ costUsd }: Pick<Usage, 'costUsd'>): string =>
  costUsd === null || costUsd === 0 ? '' : `$${costUsd.toFixed(costUsd < 1 ? 4 : 2)}`

/** How much of a budget is used: `$4.20 of $5.00`, `1.2M of 2.0M tokens`. */
export const budgetText = ({ unit, used, limit }: { unit: 'usd' | 'tokens'; used: number; limit: number }) =>
  unit === 'usd'
    ? `$${used.toFixed(2)} of $${limit.toFixed(2)}`
    : `${thousands(used)} of ${thousands(limit)} tokens`

/** `12`, `12.3k`, `1.2M`. */
export const thousands = (count: number): string => {
  if (count < 1000) return String(count)
  return count < 1_000_000 ? `${(count / 1000).toFixed(1)}k` : `${(count / 1_000_000).toFixed(1)}M`
}

/** What an agent uses: `230 MB of memory, 5 processes, 12 s of CPU time`. */
export const resourcesText = (resources: SessionSummary['resources']): string => {
  if (resources === undefined) return ''
  const { memoryBytes, processes, cpuMs } = resources
  const count = processes === 1 ? '1 process' : `${processes} processes`
  return `${bytes(memoryBytes)} of memory, ${count}, ${duration(cpuMs)} of CPU time`
}
