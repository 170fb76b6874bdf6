import {
  type Actor,
  authorOf,
  BerthError,
  type Event,
  eventVersion,
  foldSession,
  type HeldText,
  mayAppend,
  type NewEvent,
  type SessionState,
} from '@berth/contract'
import type { Command, CommandKind, DecideContext } from '../command.ts'
import { showMore, showRest } from '../redact/held-text.ts'
import type { Hider } from '../redact/hider.ts'
import { redactEvent } from '../redact/redact-event.ts'

/** The backend itself, as the author of what nobody asked for. */
export const backendActor: Actor = { kind: 'backend', id: 'backend' }

const secretInPrompt: NewEvent = {
  type: 'session.notice',
  data: {
    level: 'warning',
    message:
      'The prompt held the value of a secret of this project, which was replaced by its name. Whoever wrote it knows the value: set a new one if that should not be.',
  },
}

/** The events of one decision, folded as they are added. */
export class Draft {
  readonly events: Event[] = []
  readonly context: DecideContext
  #state: SessionState | undefined
  readonly #hider: Hider | undefined

  constructor(state: SessionState | undefined, context: DecideContext, hider?: Hider) {
    this.#state = state
    this.context = context
    this.#hider = hider
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
    const shown = this.#redact(event)
    this.#append(actor, shown, fact)
    if (event.type === 'prompt.queued' && shown !== event) this.#append(backendActor, secretInPrompt)
  }

  /** The event without the values of secrets. What is held back of a block comes before its end, and is kept until then. */
  #redact(event: NewEvent): NewEvent {
    if (event.type === 'block.delta') {
      const { block } = event.data
      const { held, ...shown } = showMore(this.#state?.held?.[block], event.data, this.#hider)
      this.#hold(block, held)
      return { type: event.type, data: { block, ...shown } }
    }
    if (event.type === 'block.aborted') this.#showRest(event.data.block)
    if (event.type === 'block.completed') this.#hold(event.data.block, undefined)
    return this.#hider === undefined ? event : redactEvent(event, this.#hider)
  }

  #showRest(block: string): void {
    const held = this.#state?.held?.[block]
    if (held === undefined) return
    const text = showRest(held, this.#hider)
    this.#hold(block, undefined)
    const runner: Actor = { kind: 'runner', id: this.current.summary.id }
    if (text !== '') this.#append(runner, { type: 'block.delta', data: { block, offset: held.shown, text } })
  }

  #hold(block: string, held: HeldText | undefined): void {
    const before = this.#state?.held
    if (this.#state === undefined || (held === undefined && before?.[block] === undefined)) return
    const { [block]: _, ...others } = before ?? {}
    const all = held === undefined ? others : { ...others, [block]: held }
    this.#state = { ...this.#state, held: Object.keys(all).length === 0 ? undefined : all }
  }

  #append(actor: Actor, event: NewEvent, fact: { at?: string; generation?: number; n?: number } = {}) {
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
