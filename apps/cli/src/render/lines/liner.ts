import type { AnyEvent, Event, EventOf, EventType } from '@berth/contract'
import { safeLine } from '../../terminal/safe-text.ts'
import type { Style } from '../../terminal/style.ts'

export interface LineView {
  style: Style
  /** Also what is seldom of interest: checkpoints, operations, usage of each request. */
  verbose: boolean
}

/** What an event says in a line (or a few) of its own; undefined: nothing this time. */
export type Liner<T extends EventType> = (event: EventOf<T>, view: LineView) => string | undefined

/** Why an event never has a line of its own. */
export interface Untold {
  untold: string
}

/** A decision for every type of event: a new one doesn't compile without one. */
export type Lines = { [T in Event['type']]: Liner<T> | Untold }

export const untold = (reason: string): Untold => ({ untold: reason })

/** Who did it. */
export const who = ({ actor }: AnyEvent): string => safeLine(actor.name ?? actor.id)

/** The rest of such a message is the end of a log: `berth attach --json` has it. */
export const firstLine = (text: string): string => safeLine(text.split('\n')[0] ?? '')

export const notes = { info: 'dim', warning: 'yellow', error: 'red' } as const
