import {
  type Actor,
  authorOf,
  BerthError,
  type Event,
  eventVersion,
  foldSession,
  mayAppend,
  type NewEvent,
  type SessionState,
} from '@berth/contract'
import type { Command, CommandKind, DecideContext } from '../command.ts'

/** The backend itself, as the author of what nobody asked for. */
export const backendActor: Actor = { kind: 'backend', id: 'backend' }

/** The events of one decision, folded as they are added. */
export class Draft {
  readonly events: Event[] = []
  readonly context: DecideContext
  #state: SessionState | undefined

  constructor(state: SessionState | undefined, context: DecideContext) {
    this.#state = state
    this.context = context
  }

  get isNew() {
    return this.#state === undefined
  }

  get current(): SessionState {
    if (this.#state === undefined) throw new BerthError('session_not_found', 'The session does not exist.')
    return this.#state
  }

  add(actor: Actor, event: NewEvent, fact: { at?: string; generation?: number; n?: number } = {}) {
    if (!mayAppend(authorOf(actor.kind), event.type))
      throw new BerthError('forbidden', `${actor.kind} may not append ${event.type}.`)
    const stored = {
      seq: (this.#state?.summary.seq ?? 0) + 1,
      at: this.context.at,
      version: eventVersion,
      actor,
      ...event,
      ...fact,
    } as Event
    this.events.push(stored)
    this.#state = foldSession(this.#state, stored)
  }
}

/** What each kind of command does; throws a `BerthError` when it is refused. */
export type Deciders<K extends CommandKind = CommandKind> = {
  [Kind in K]: (log: Draft, command: Extract<Command, { kind: Kind }>) => void
}

export const refuseDeleted = ({ summary }: SessionState): void => {
  if (summary.desired === 'deleted')
    throw new BerthError('session_deleted', `Session ${summary.id} is deleted. Restore it first.`)
}
