import { BerthError, type Event, type SessionState } from '@berth/contract'
import type { Command, DecideContext } from './command.ts'
import { budgetDeciders } from './deciders/budget.ts'
import { checkpointDeciders } from './deciders/checkpoints.ts'
import { type Deciders, Draft } from './deciders/draft.ts'
import { egressDeciders } from './deciders/egress.ts'
import { factDeciders } from './deciders/facts.ts'
import { lifeDeciders } from './deciders/life.ts'
import { limitDeciders } from './deciders/limits.ts'
import { operationDeciders } from './deciders/operations.ts'
import { peopleDeciders } from './deciders/people.ts'
import { repositoryDeciders } from './deciders/repositories.ts'
import { secretDeciders } from './deciders/secrets.ts'
import { sharingDeciders } from './deciders/sharing.ts'

import { hiderOf } from './redact/hider.ts'

export { backendActor } from './deciders/draft.ts'

export interface Decision {
  /** To append, in order; none when the command changes nothing. */
  events: Event[]
  /** After the events. */
  state: SessionState
}

/**
 * The one place where it is decided what a command does to a session. Pure: same state, command and context, same
 * outcome. Throws a `BerthError` when the command is refused; then nothing is appended. Facts of a runner are never
 * refused because of the session's state, only when they are not the next ones (`fact_gap`) or come from a generation
 * that is over (`fenced`).
 */
export const decide = (
  state: SessionState | undefined,
  command: Command,
  context: DecideContext,
): Decision => {
  const log = new Draft(state, context, hiderOf(context.secrets))
  if (command.kind !== 'create' && log.isNew)
    throw new BerthError('session_not_found', 'The session does not exist.')
  const decider = deciders[command.kind] as (log: Draft, command: Command) => void
  decider(log, command)
  return { events: log.events, state: log.current }
}

const deciders: Deciders = {
  ...peopleDeciders,
  ...repositoryDeciders,
  ...lifeDeciders,
  ...limitDeciders,
  ...operationDeciders,
  ...factDeciders,
  ...egressDeciders,
  ...budgetDeciders,
  ...checkpointDeciders,
  ...sharingDeciders,
  ...secretDeciders,
}
