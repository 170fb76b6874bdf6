/** One measured value. */
export interface Row {
  what: string
  value: number
  unit: 'ms' | 'MB' | '/s' | '×' | ''
  /** What to reach; missing for baselines. */
  goal?: { atMost: number } | { atLeast: number }
  /** How it was measured, e.g. the kind of load. */
  note?: string
}

/** One thing to measure. Runs alone; brings its own processes and takes them away. */
export interface Figure {
  name: string
  about: string
  run: () => Promise<Row[]>
}

export const reached = ({ value, goal }: Row): boolean | undefined => {
  if (goal === undefined) return undefined
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
}

/** The value below which a share of the sorted values lies. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
