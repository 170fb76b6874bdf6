import { percentile } from '../figure.ts'

/**
 * Measures several ways by turns, another one first in each round: whatever else the machine does meanwhile falls on all of them.
 * Gives their values by round, without the first ones, which are only to warm up.
 */
export const byTurns = async <K extends string>(
  { rounds, warm = 1 }: { rounds: number; warm?: number },
  ways: Record<K, () => Promise<number>>,
): Promise<Record<K, number[]>> => {
  const names = Object.keys(ways) as K[]
  const found = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>
  for (let round = 0; round < warm + rounds; round++)
    for (const turn of names.keys()) {
      const name = names[(round + turn) % names.length] as K
      const value = await ways[name]()
      if (round >= warm) found[name].push(value)
    }
  return found
}

/** How one way compares with another in each round: the middle of all rounds, and where half of them lie. */
export const ratioOf = (
  values: readonly number[],
  base: readonly number[],
): { value: number; note: string; unit: '×' } => {
  const ratios = base.map((value, round) => (values[round] ?? Number.NaN) / value)
  const [low = 0, value = 0, high = 0] = [0.25, 0.5, 0.75].map((share) => percentile(ratios, share))
  const note = `median of ${ratios.length} pairs; half of them ${low.toFixed(2)} to ${high.toFixed(2)}`
  return { value, note, unit: '×' }
}
