import type { Client } from '@berth/client'
import type { AnyEvent, EventOf, SessionSummary, Settings } from '@berth/contract'
import { checkLog } from '../../support/check-log.ts'
import { ofSession } from './leftovers.ts'
import { list } from './programs.ts'
import { within } from './within.ts'

type Type = Exclude<AnyEvent['type'], 'unknown'>
type Condition = (summary: SessionSummary) => boolean

/** A session of a project, spoken with by whatever client there is at the moment. */
export interface Conversation {
  session: string
  /** Waits for a condition; fails when the session does. */
  reach(what: string, condition: Condition): Promise<SessionSummary>
  /** Waits until so many turns have ended, with success the last of them, and nothing is left to do. */
  ended(turns: number): Promise<SessionSummary>
  prompt(content: string): Promise<void>
  /** Sends a prompt, waits until its turn has ended with success, and gives the last words. */
  say(content: string): Promise<string>
  summary(): Promise<SessionSummary>
  /** The whole log, which has been checked. */
  log(): Promise<AnyEvent[]>
  of<T extends Type>(type: T): Promise<EventOf<T>[]>
  /** Deletes it, and waits until nothing of it is in the cluster. */
  remove(): Promise<void>
}

interface Start {
  prompt?: string
  repositories?: { url: string }[]
}

/** A project whose sessions are purged at once. */
export const makeProject = async (client: Client, name: string, settings: Settings = {}): Promise<void> => {
  await client.createProject({ body: { name, settings: { undoHours: 0, ...settings } } })
}

/** Starts a session. `client` gives the client of the moment: the way to a backend ends with its pod. */
export const converse = async (
  client: () => Client,
  project: string,
  body: Start = {},
): Promise<Conversation> => {
  const { id: session } = await client().createSession({ params: { project }, body })
  const params = { project, session }
  const summary = () => client().getSession({ params })
  const reach = async (what: string, condition: Condition) => {
    const found = await within(`${what}, in ${session}`, async () => {
      const now = await summary()
      return condition(now) || now.status.phase === 'failed' ? now : undefined
    })
    if (!condition(found)) throw new Error(`${session} failed: ${JSON.stringify(found.status)}`)
    return found
  }
  const ended = async (turns: number) => {
    const now = await reach(
      `the end of turn ${turns}`,
      (now) => now.turns >= turns && now.turn === undefined && now.status.phase === 'idle',
    )
    if (now.lastTurn?.result !== 'success') throw new Error(`It ended so: ${JSON.stringify(now.lastTurn)}`)
    return now
  }
  const prompt = async (content: string) => {
    await client().createPrompt({ params, body: { content } })
  }
  const log = async () => {
    const events: AnyEvent[] = []
    for await (const event of client().events(project, session, { follow: false })) events.push(event)
    checkLog(events)
    return events
  }
  return {
    session,
    reach,
    ended,
    prompt,
    summary,
    log,
    say: async (content) => {
      const { turns } = await summary()
      await prompt(content)
      await ended(turns + 1)
      return wordsOf(await log())
    },
    of: async <T extends Type>(type: T) =>
      (await log()).filter((event): event is EventOf<T> & AnyEvent => event.type === type) as EventOf<T>[],
    remove: async () => {
      await client().deleteSession({ params })
      await within(`nothing of ${session} is in the cluster`, async () => {
        const left = await ofSession(session)
        if (left.length > 0) throw new Error(left.join(', '))
        return left
      })
    },
  }
}

/** What the agent said last. */
const wordsOf = (events: readonly AnyEvent[]): string => {
  const last = events.findLast((event) => event.type === 'turn.ended')
  return last?.type === 'turn.ended' ? last.data.message.trim() : ''
}

interface Pod {
  metadata: { name: string; namespace: string; uid: string; deletionTimestamp?: string }
  spec: {
    containers: { name: string; securityContext: { runAsUser: number } }[]
    initContainers?: { name: string; resources?: { limits?: { cpu?: string } } }[]
  }
}

/** The pod in which a session runs. */
export const podOf = async (session: string): Promise<Pod> =>
  within(`a pod of ${session}`, async () => {
    const pods = await list<Pod>('pods', ['--all-namespaces', '--selector', `berth.dev/session=${session}`])
    return pods.find(({ metadata }) => metadata.deletionTimestamp === undefined)
  })

/** A prompt for which the agent runs a program of Node, whatever characters it has. */
export const runNode = (program: string): string =>
  `run: node -e "eval(Buffer.from('${Buffer.from(program).toString('base64')}', 'base64').toString())"`

/** A prompt for which the agent runs a script of the shell, whatever characters it has. */
export const runShell = (script: string): string =>
  `run: echo ${Buffer.from(script).toString('base64')} | base64 --decode | bash`
