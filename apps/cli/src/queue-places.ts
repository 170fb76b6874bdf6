import type { SessionSummary } from '@berth/contract'
import type { Context } from './context.ts'

/** The places of those sessions that wait for room, in the queue as it is now. */
export const placesOf = async (
  { client }: Context,
  sessions: readonly SessionSummary[],
): Promise<Map<string, number>> => {
  const places = new Map<string, number>()
  const waiting = sessions.filter(({ status }) => status.phase === 'pending' && status.reason === 'capacity')
  for (const project of new Set(waiting.map((session) => session.project)))
    for (const { session, position } of (await client.getQueue({ params: { project } })).items)
      places.set(session, position)
  return places
}
