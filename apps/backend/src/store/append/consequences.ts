import { BerthError, type Event } from '@berth/contract'
import { placeOf } from '../place.ts'
import { type AppendRequest, type AppendResult, type Line, type Notice, operationMs } from '../port.ts'
import type { Program } from '../query.ts'
import type { Tables } from '../schema.ts'
import { audienceOf } from '../session-access.ts'
import { appendQueries } from './append-queries.ts'

/** What an event is compacted with: the block of a delta, or the operation. */
const transientOf = (event: Event): string | null => {
  if (event.type === 'block.delta') return event.data.block
  return 'operation' in event.data ? event.data.operation : null
}

/** An event as it is stored; `json`: itself, where that is at hand. */
export const eventRow = (
  session: number,
  event: Event,
  json: string = JSON.stringify(event),
): Tables['events'] => {
  const { seq, type } = event
  const block = transientOf(event)
  const turn = 'turn' in event.data && block === null ? (event.data.turn ?? null) : null
  return { place: placeOf(session, seq), session, seq, type, turn, block, json }
}

/** Keeps what is derived from events besides the state. */
export function* follow(
  session: number,
  event: Event,
  { now, tokenHash }: Pick<AppendRequest, 'now' | 'tokenHash'>,
): Program<void> {
  switch (event.type) {
    case 'generation.started': {
      const { generation } = event.data
      yield* appendQueries.startGeneration.run({ session, generation, now, token_hash: tokenHash ?? null })
      return
    }
    case 'generation.ended':
      yield* appendQueries.endGeneration.run({ session, generation: event.data.generation })
      return
    case 'block.completed':
      yield* appendQueries.completeBlock.run({ session, block: event.data.block, due_at: now })
      return
    case 'operation.completed':
    case 'operation.failed':
    case 'operation.cancelled':
      yield* appendQueries.completeBlock.run({
        session,
        block: event.data.operation,
        due_at: now + operationMs,
      })
  }
}

/** Refuses a command for a session that is not there, or not in the project in which it was asked for. */
export const checkPlace = (
  { session, project, command }: AppendRequest,
  before: { summary: { project: string } } | undefined,
): void => {
  if (before === undefined && command.kind !== 'create') throw sessionNotFound(session)
  if (before !== undefined && project !== undefined && before.summary.project !== project)
    throw sessionNotFound(session)
}

/** Refuses a command that was made from settings which changed since. */
export const checkSettings = (asked: number, known: number | undefined, project: string): void => {
  if (asked !== known)
    throw new BerthError(
      'version_mismatch',
      `The settings of project ${project} changed in the meantime. Read them again, then repeat the command.`,
    )
}

export const sessionNotFound = (session: string) =>
  new BerthError('session_not_found', `There is no session ${session} in this project.`)

/** What an append answers. */
export const resultOf = ({
  events,
  lines,
  ...rest
}: Pick<AppendResult, 'state' | 'summary' | 'lines' | 'revision' | 'hidden' | 'position'> & {
  events: Event[]
}): AppendResult => ({
  ...rest,
  lines,
  replayed: false,
  first: lines[0]?.seq ?? rest.state.summary.seq,
  prompt: promptOf(events),
})

const promptOf = (events: Event[]): string | undefined => {
  for (const event of events) if (event.type === 'prompt.queued') return event.data.prompt
  return undefined
}

/** What those who watch are told of an append; nothing when it appended nothing. */
export const noticeOf = ({ state, lines, revision, hidden, summary }: AppendResult): Notice | undefined => {
  if (lines.length === 0) return undefined
  const { id: session, project, seq } = state.summary
  if (revision === undefined) return { session, project, seq, lines }
  return { session, project, seq, lines, hidden, change: { revision, summary, audience: audienceOf(state) } }
}

export const lineOf = ({ seq, json }: Pick<Tables['events'], 'seq' | 'json'>): Line => ({ seq, json })
