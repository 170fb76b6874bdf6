import type { AnyEvent, Event } from '@berth/contract'
import { agentLines } from './lines/agent-lines.ts'
import type { Lines, LineView } from './lines/liner.ts'
import { sessionLines } from './lines/session-lines.ts'
import { turnLines } from './lines/turn-lines.ts'
import { workspaceLines } from './lines/workspace-lines.ts'

/** Total over the types of events. */
const lines: Lines = { ...sessionLines, ...turnLines, ...agentLines, ...workspaceLines }

/** What an event says in a line (or a few) of its own; undefined when it says nothing to a person. */
export const eventLine = (event: AnyEvent, view: LineView): string | undefined => {
  if (event.type === 'unknown') return undefined
  const line = lines[event.type] as ((event: Event, view: LineView) => string | undefined) | object
  return typeof line === 'function' ? line(event, view) : undefined
}
