import { z } from 'zod'

/** An amount of CPU in cores, to the thousandth: what schedulers and control groups count in. */
export const cpuCores = (max: number) =>
  z
    .number()
    .min(0.1)
    .max(max)
    .refine((cores) => cores === milliCpusOf(cores) / 1000, 'expected at most three decimals')

/** Cores as a whole number of thousandths, so that sums are exact. */
export const milliCpusOf = (cores: number): number => Math.round(cores * 1000)
