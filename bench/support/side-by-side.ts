import { percentile } from '../figure.ts'

export interface SideBySide {
  /** In the order in which they were measured, without the warm-up. */
  base: number[]
  candidate: number[]
}

/**
 * Measures two things by turns, each first every other time: whatever else the machine does meanwhile falls on both. The first
 * rounds are only to warm up.
 */
export const sideBySide = async (
  { rounds, warm = 1 }: { rounds: number; warm?: number },
  base: () => Promise<number>,
  candidate: () => Promise<number>,
): Promise<SideBySide> => {
  const found: SideBySide = { base: [], candidate: [] }
  for (let round = 0; round < warm + rounds; round++) {
    const first = round % 2 === 0 ? await base() : undefined
    const second = await candidate()
    const pair = [first ?? (await base()), second] as const
    if (round < warm) continue
    found.base.push(pair[0])
    found.candidate.push(pair[1])
  }
  return found
}

/** How the candidate compares with the base in each round: the middle of all rounds, and where half of them lie. */
export const ratioOf = ({ base, candidate }: SideBySide): { value: number; note: string } => {
  const ratios = base.map((value, round) => (candidate[round] ?? Number.NaN) / value)
  const [low, value, high] = [0.25, 0.5, 0.75].map((share) => percentile(ratios, share))
  return {
    value: value ?? Number.NaN,
    note: `median of ${ratios.length} pairs; half of them ${low?.toFixed(2)} to ${high?.toFixed(2)}`,
  }
}
