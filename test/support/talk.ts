import type { AnyEvent, SessionSettings, Settings } from '@berth/contract'
import { project, type World } from './world.ts'

export const ended = (event: AnyEvent): boolean => event.type === 'turn.ended'

/** Changes settings of the project. */
export const setProject = async ({ client }: World, settings: Settings): Promise<void> => {
  const params = { project }
  const { version } = await client.getProjectSettings({ params })
  await client.updateProjectSettings({ params, body: settings, ifMatch: version })
}

/** Changes settings of a session. */
export const setSession = async ({ client }: World, session: string, body: SessionSettings) => {
  const params = { project, session }
  const { version } = await client.getSessionSettings({ params })
  return client.updateSessionSettings({ params, body, ifMatch: version })
}

/** Makes a session and gives its id. */
export const create = async (
  { client }: World,
  body: { prompt?: string; settings?: SessionSettings; repositories?: { url: string }[] },
): Promise<string> => (await client.createSession({ params: { project }, body })).id

/** Sends a prompt and gives what was logged until its turn ended. */
export const turn = async (world: World, session: string, content: string): Promise<AnyEvent[]> => {
  const { seq } = await world.client.createPrompt({ params: { project, session }, body: { content } })
  return world.until(session, ended, { after: seq })
}

/** The message with which the last turn ended. */
export const messageOf = (events: readonly AnyEvent[]): string => {
  const last = events.at(-1)
  return last?.type === 'turn.ended' ? last.data.message.trim() : ''
}
