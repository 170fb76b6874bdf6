import { z } from 'zod'

const dollars = z.number().positive().max(1_000_000)
const tokens = z.number().int().positive().max(1_000_000_000_000)

/** What a session may spend. Dollars are US dollars, tokens those of all kinds. Default: no limit. */
export const sessionBudgets = {
  /** What a session may spend, in US dollars. Default: no limit. */
  budgetUsd: dollars.optional(),
  /** The same in tokens of all kinds: what counts where a model has no price. */
  budgetTokens: tokens.optional(),
  /** Percent of a budget at which people are warned. */
  budgetWarnPercent: z.number().int().min(1).max(100).optional(),
}

/** What a project sets for all of its sessions together. */
export const projectBudgets = {
  /** What each user may spend in the project in a calendar month (UTC): the turns of their prompts, in any session. */
  userBudgetUsd: dollars.optional(),
  userBudgetTokens: tokens.optional(),
  /** What the sessions of the project may spend on a day (UTC). */
  dayBudgetUsd: dollars.optional(),
  dayBudgetTokens: tokens.optional(),
  /** What the sessions of the project may spend in a calendar month (UTC), in US dollars. */
  projectBudgetUsd: dollars.optional(),
  /** The same in tokens of all kinds. */
  projectBudgetTokens: tokens.optional(),
}

/** The names of all of them, to pick or to leave out. */
export const projectBudgetNames = {
  userBudgetUsd: true,
  userBudgetTokens: true,
  dayBudgetUsd: true,
  dayBudgetTokens: true,
  projectBudgetUsd: true,
  projectBudgetTokens: true,
} as const satisfies Record<keyof typeof projectBudgets, true>
