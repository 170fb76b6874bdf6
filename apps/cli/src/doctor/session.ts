import type { AnyEvent, Finding } from '@berth/contract'
import type { Context } from '../context.ts'
import { findSession } from '../session-ref.ts'
import { sessionFindings } from './session-findings.ts'

/** Events that are looked at, from the end: enough for the start or the turn that is under way. */
const lookBack = 500

/** What a session waits for: from its summary, its settings, the queue and the end of its log. */
export const explainSession = async (
  { client, berth, now }: Context,
  text: string,
  project: string,
): Promise<Finding[]> => {
  const session = await findSession(text, { client, project })
  const params = { project: session.project, session: session.id }
  const [settings, queue, events] = await Promise.all([
    client.getSessionSettings({ params }),
    client.getQueue({ params: { project: session.project } }),
    lastEvents(client, params, session.seq),
  ])
  return sessionFindings({ session, settings, queue, events, now: now(), berth })
}

const lastEvents = async (
  client: Context['client'],
  { project, session }: { project: string; session: string },
  seq: number,
): Promise<AnyEvent[]> => {
  const events: AnyEvent[] = []
  const range = { after: Math.max(0, seq - lookBack), follow: false }
  for await (const event of client.events(project, session, range)) events.push(event)
  return events
}
