import { z } from 'zod'

export const budgetScope = z.enum(['session', 'project'])
export const budgetUnit = z.enum(['usd', 'tokens'])

/** A budget and how far it is used. */
export const budget = z.object({
  scope: budgetScope,
  unit: budgetUnit,
  limit: z.number().positive(),
  used: z.number().nonnegative(),
  remaining: z.number().nonnegative(),
  /** Of the limit; more than 100 when answers that were under way went beyond it. */
  percent: z.number().nonnegative(),
  /** What it counts: `session`, its whole life, or a month (UTC) such as `2030-01`. */
  period: z.string(),
  /** Nothing is left. */
  spent: z.boolean(),
})

export type Budget = z.infer<typeof budget>
