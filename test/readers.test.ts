import { readFile } from 'node:fs/promises'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { type AnyEvent, emptyTranscript, foldTranscript, parseEvent, type Transcript } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { checkAtRest, entriesOf, follow } from './support/watched.ts'
import { eventually, project, type World, withWorld } from './support/world.ts'

const ended = (event: AnyEvent) => event.type === 'turn.ended'

/** Reads as `read` says, from the beginning to the `n`th end of a turn, and gives the chat. */
const readUntil = async (
  { client }: World,
  session: string,
  options: { turns: number; pause: () => Promise<unknown>; perConnection: () => number },
): Promise<Transcript> => {
  const transcript = emptyTranscript()
  let after = 0
  let ends = 0
  while (ends < options.turns) {
    const connection = new AbortController()
    let left = options.perConnection()
    for await (const event of client.events(project, session, { after, signal: connection.signal })) {
      foldTranscript(transcript, event)
      after = event.seq
      if (ended(event)) ends += 1
      left -= 1
      if (left <= 0 || ends === options.turns) break
      await options.pause()
    }
    connection.abort()
  }
  return transcript
}

/** A connection from which nothing is read until it is drained. */
const stalled = async ({ url, dataDir }: World, session: string) => {
  const token = (await readFile(`${dataDir}/owner-token`, 'utf8')).trim()
  const response = await fetch(`${url}/api/projects/${project}/sessions/${session}/events`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
  })
  return {
    /** Reads everything up to an event, and gives the chat. */
    drain: async (last: number): Promise<Transcript> => {
      const transcript = emptyTranscript()
      let text = ''
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true })
        const lines = text.split('\n')
        text = lines.pop() ?? ''
        for (const line of lines) {
          if (!line.startsWith('data:')) continue
          const event = parseEvent(JSON.parse(line.slice(5)))
          foldTranscript(transcript, event)
          if (event.seq >= last) return transcript
        }
      }
      throw new Error('The stream ended before its last event.')
    },
  }
}

const residentMiB = async ({ pid }: World): Promise<number> =>
  Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

describe.skipIf(process.platform !== 'linux')(
  'readers of a long answer (memory is read from /proc)',
  { timeout: 120_000 },
  () => {
    it('[P32] slow, stalled and flapping: each sees what a replay gives, also over compaction', () =>
      withWorld(async (world) => {
        const { client } = world
        const { id } = await client.createSession({
          params: { project },
          body: { prompt: 'write 20000 words' },
        })
        const params = { project, session: id }
        const follower = follow(world, id)
        const none = async () => undefined
        const few = () => 1 + Math.floor(Math.random() * 60)
        const turns = 3
        const readers = [
          readUntil(world, id, { turns, pause: () => turnOfTheLoop(), perConnection: () => 1e9 }),
          readUntil(world, id, { turns, pause: none, perConnection: few }),
          readUntil(world, id, { turns, pause: none, perConnection: few }),
        ]
        const still = await Promise.all(Array.from({ length: 30 }, () => stalled(world, id)))
        const before = await residentMiB(world)
        for (let turn = 1; turn <= turns; turn++) {
          if (turn > 1) await client.createPrompt({ params, body: { content: 'write 20000 words' } })
          await world.settled(id, (summary) => summary.turns === turn && summary.status.phase === 'idle')
        }
        await eventually('compaction', async () => {
          const deltas = (await world.events(id)).filter(({ type }) => type === 'block.delta')
          return deltas.length === 0 || undefined
        })
        const after = await residentMiB(world)
        const events = await checkAtRest(world, id, follower)
        const replay = emptyTranscript()
        for (const event of events) foldTranscript(replay, event)
        const whole = entriesOf(replay)
        const seen = await Promise.all([
          ...readers,
          ...still.map(({ drain }) => drain(events.findLast(ended)?.seq ?? 0)),
        ])
        for (const transcript of seen) expect(entriesOf(transcript)).toEqual(whole)
        expect(after - before, `from ${before} to ${after} MiB`).toBeLessThan(200)
        await follower.close()
      }))
  },
)
