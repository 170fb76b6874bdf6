import type { Event, EventOf } from '../events/event.ts'
import type { SessionState } from './state.ts'
import type { SessionSummary } from './summary.ts'

/** How events of each type change a state; the types that are missing change nothing. */
export type Appliers = { [T in Event['type']]?: (state: SessionState, event: EventOf<T>) => SessionState }

export const withSummary = (state: SessionState, changes: Partial<SessionSummary>): SessionState => ({
  ...state,
  summary: { ...state.summary, ...changes },
})

/** A fact that the generation before left on disk says nothing about the runner of now. */
export const isCurrent = (state: SessionState, event: Event): boolean =>
  event.generation === state.summary.generation

/** A stop was asked for before the runner ended. */
export const isPlanned = ({ summary }: SessionState): boolean =>
  summary.desired !== 'running' || summary.status.phase === 'stopping'

export const dequeue = ({ summary }: SessionState, prompt: string) =>
  summary.queue.filter((queued) => queued.prompt !== prompt)

/** A runner's clock may be behind: the last activity never moves back. */
export const activeAt = ({ activeAt: before }: SessionState, at: string): string =>
  Date.parse(at) > Date.parse(before) ? at : before
