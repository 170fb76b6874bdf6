import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AnyEvent, emptyTranscript, foldTranscript, type Transcript } from '@berth/contract'
import { expect } from 'vitest'
import { checkLog } from './check-log.ts'
import { eventually, project, type World } from './world.ts'

/** A reader that follows a session from its first event, through every restart of the backend. */
export interface Follower {
  seq: number
  readonly transcript: Transcript
  close(): Promise<void>
}

export const follow = (
  { client }: Pick<World, 'client'>,
  session: string,
  onEvent: (event: AnyEvent) => void = () => undefined,
): Follower => {
  const abort = new AbortController()
  const follower = { seq: 0, transcript: emptyTranscript(), close: () => closed }
  const read = async () => {
    for await (const event of client.events(project, session, { signal: abort.signal })) {
      foldTranscript(follower.transcript, event)
      follower.seq = event.seq
      onEvent(event)
    }
  }
  const reading = read()
  reading.catch(() => undefined)
  const closed = Promise.resolve()
  follower.close = async () => {
    abort.abort()
    await reading
  }
  return follower
}

/** The chat as plain data, to compare. */
export const entriesOf = ({ entries }: Transcript) => JSON.parse(JSON.stringify([...entries.values()]))

/**
 * What holds for a session at rest: its log is whole, the summary that the API gives is the fold of the log, and a
 * reader that followed has the chat that a replay gives.
 */
export const checkAtRest = async (
  world: Pick<World, 'client' | 'events'>,
  session: string,
  follower: Follower,
): Promise<AnyEvent[]> => {
  const params = { project, session }
  const { events, summary } = await eventually(`${session} at rest`, async () => {
    const all = await world.events(session)
    const now = await world.client.getSession({ params })
    return now.seq === all.at(-1)?.seq ? { events: all, summary: now } : undefined
  })
  const state = checkLog(events)
  expect(summary, 'the summary is the fold').toMatchObject(JSON.parse(JSON.stringify(state.summary)))
  await eventually(`the reader at ${summary.seq}`, async () => follower.seq >= summary.seq || undefined)
  const replay = emptyTranscript()
  for (const event of events) foldTranscript(replay, event)
  expect(entriesOf(follower.transcript), 'who followed has what a replay gives').toEqual(entriesOf(replay))
  return events
}

/** The texts of what Claude Code's own record of a session says that people sent. */
export const deliveredTexts = async (world: Pick<World, 'dataDir'>, session: string): Promise<string[]> => {
  const projects = join(world.dataDir, 'sessions', session, 'home', '.claude', 'projects')
  const files = (await readdir(projects, { recursive: true }).catch(() => [])).filter((name) =>
    /^[^/]+\/[^/]+\.jsonl$/.test(name),
  )
  const texts: string[] = []
  for (const file of files) {
    const lines = (await readFile(join(projects, file), 'utf8')).split('\n').filter((line) => line !== '')
    for (const line of lines) {
      const { type, message } = JSON.parse(line) as { type?: string; message?: { content?: unknown } }
      if (type === 'user') texts.push(...textsIn(message?.content))
    }
  }
  return texts
}

const textsIn = (content: unknown): string[] => {
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((block: { type?: string; text?: string }) =>
    block.type === 'text' && block.text !== undefined ? [block.text] : [],
  )
}
