import type { UsageSum } from '@berth/contract'
import type { Reader } from '../auth/session-role.ts'
import type { Page } from './port.ts'

/** A group of requests to models. Days are UTC, such as `2030-01-31`, both inclusive. */
export interface UsageQuery {
  /** Only of this project. Default: of all. */
  project?: string
  /** Only of this session, with its project; what it used is gone with it, and stays in what the project used. */
  session?: string
  /** By session: only of those that somebody sees. Default: of all. */
  reader?: Reader
  by: 'session' | 'model' | 'day' | 'user' | 'project'
  from: string
  to: string
}

export type UsageRow = UsageSum & { key: string }

/** What counts against a budget. */
export interface BudgetUse {
  /** US dollars of the requests whose price is known. */
  usd: number
  /** Of all kinds. */
  tokens: number
}

/** What requests to models used: counted from `model.usage` events, in the transaction that appended them. */
export interface UsageStore {
  /**
   * By session and day newest first, else by name. A session that is gone shows in no row of `session`; a session's query
   * knows no `user`, `project` or `session`.
   */
  usage(query: UsageQuery, page: Page): Promise<{ items: UsageRow[]; next?: string }>
  /** The sum of all rows. */
  usageSum(query: Omit<UsageQuery, 'by'>): Promise<UsageSum>
  /**
   * What counts against the budgets that a project's sessions share at a time (ISO 8601, UTC): of the project in the month
   * and on the day, and of a user in the month; also by sessions that are gone.
   */
  budgetUse(
    project: string,
    of: { user: string; at: string },
  ): Promise<{ project: BudgetUse; day: BudgetUse; user: BudgetUse }>
}
