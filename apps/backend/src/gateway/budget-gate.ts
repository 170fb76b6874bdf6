import { isBerthError, type SessionState } from '@berth/contract'
import { budgetsOf, explainSpent } from '../session/budget.ts'
import { payerOf, type ReadSpending, readSpending, type SpendingSource } from '../session/read-spending.ts'
import { type SessionService, systemActor } from '../session/service.ts'
import type { RunnerIdentity } from '../store/port.ts'

export interface GateOptions extends SpendingSource {
  service: Pick<SessionService, 'run' | 'state' | 'settingsOf'>
  now: () => number
}

/** Why the model may not be asked now, and the turn that was paused for it. */
export interface Spent {
  message: string
  paused?: string
}

/** Settings that change at each try are somebody's endless loop: the last answer counts. */
const maxTries = 5

/**
 * Lets a request through while there is budget; otherwise pauses the turn. The pause is decided from the very settings that count
 * when it is stored: a limit that was raised a moment before leaves no pause behind. Undefined: the model may be asked.
 */
export const checkBudget = async (
  options: GateOptions,
  runner: RunnerIdentity,
  read: { state: SessionState; project: ReadSpending },
): Promise<Spent | undefined> => {
  const { service, now } = options
  let { state, project } = read
  for (let tries = 1; ; tries++) {
    const waiting = pausedTurn(state)
    if (waiting !== undefined) return waiting
    const spent = spentOf(state, project, now())
    if (spent === undefined) return undefined
    try {
      const { session, generation } = runner
      const command = { kind: 'budget', actor: systemActor('gateway'), generation } as const
      const { spending, settingsVersion } = project
      const result = await service.run({ session, settingsVersion, command: { ...command, spending } })
      const still = spentOf(result.state, project, now())
      return pausedTurn(result.state) ?? (still === undefined ? still : { message: still })
    } catch (error) {
      if (!isBerthError(error) || error.code !== 'version_mismatch' || tries === maxTries) throw error
      state = await service.state(runner.session)
      project = await readSpending(options, { project: runner.project, user: payerOf(state) }, now())
    }
  }
}

/** What is on its way out of a runner whose turn is paused is not paid for. */
const pausedTurn = ({ live, summary: { turn } }: SessionState): Spent | undefined =>
  live && turn?.paused !== undefined ? { message: turn.paused.message, paused: turn.turn } : undefined

const spentOf = (state: SessionState, { spending }: ReadSpending, now: number): string | undefined => {
  const spent = budgetsOf(state, spending, new Date(now).toISOString()).find((budget) => budget.spent)
  return spent && explainSpent(spent, state.summary)
}
