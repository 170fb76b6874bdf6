import type { Actor, SessionState } from '@berth/contract'

/**
 * For whom a session acts now: whoever sent the prompt of the turn that runs; between turns, what is left of the last one goes on
 * for its sender. Before the first turn: the owner. Budgets, secrets and pushes follow the rules for this principal.
 */
export const senderOfTurn = ({ summary }: Pick<SessionState, 'summary'>): Actor =>
  summary.turn?.sender ?? summary.lastTurn?.sender ?? summary.owner
