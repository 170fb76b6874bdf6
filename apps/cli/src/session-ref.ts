import type { Client } from '@berth/client'
import { type SessionSummary, sessionId } from '@berth/contract'
import { ExitError } from './exit-code.ts'
import { safeLine } from './terminal/safe-text.ts'

const shortest = 6

/** How many characters from the end tell these ids apart; at least 6. */
export const shortIdLength = (ids: readonly string[]): number => {
  const unique = [...new Set(ids)]
  for (let length = shortest; length < 26; length++)
    if (new Set(unique.map((id) => id.slice(-length))).size === unique.length) return length
  return 26
}

export const shortId = (id: string, length = shortest): string => id.slice(-length)

/** What a person may write for a session. */
export const sessionArgument = 'full id, unique beginning or end of it, or `last`'

export interface SessionLookup {
  client: Client
  project: string
  /** Also look among deleted sessions that can be restored, and only there. */
  deleted?: boolean
}

/** The session that a person means. Sessions are looked through newest first. */
export const findSession = async (text: string, lookup: SessionLookup): Promise<SessionSummary> => {
  const { client, project } = lookup
  if (lookup.deleted !== true && sessionId.safeParse(text).success)
    return client.getSession({ params: { project, session: text } })
  const query = lookup.deleted === true ? { deleted: 'true' as const, limit: 200 } : { limit: 200 }
  const found: SessionSummary[] = []
  for await (const session of client.listAll('listSessions', { params: { project }, query })) {
    if (text === 'last') return session
    if (matches(session.id, text)) found.push(session)
  }
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  throw new ExitError(only === undefined ? 'refused' : 'usage', explain(text, lookup, found))
}

const matches = (id: string, text: string): boolean => {
  const wanted = text.toLowerCase()
  return (
    wanted.length >= 3 && (id.endsWith(wanted) || id.startsWith(wanted) || id.slice(4).startsWith(wanted))
  )
}

const explain = (
  text: string,
  { project, deleted }: SessionLookup,
  found: readonly SessionSummary[],
): string => {
  const named = safeLine(text)
  if (found.length === 0 && deleted === true)
    return `No deleted session in project ${project} ${text === 'last' ? 'can be restored' : `is called ${named}`}. \`berth ls --deleted\` lists those that can be restored.`
  if (found.length === 0)
    return text === 'last'
      ? `There is no session in project ${project} yet. Start one with \`berth run\`.`
      : `No session in project ${project} is called ${named}. \`berth ls\` lists them.`
  const length = shortIdLength(found.map((session) => session.id))
  const list = found
    .slice(0, 5)
    .map((session) => `  ${shortId(session.id, length)}  ${safeLine(session.title)}`)
  return `${named} fits ${found.length} sessions; write more of the id:\n${list.join('\n')}`
}
