import {
  type AnyEvent,
  BerthError,
  type Event,
  emptyTranscript,
  foldTranscript,
  makeId,
  toProblem,
} from '@berth/contract'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { type Ambient, createClient, isApiError, realAmbient } from './index.ts'
import { compacted, frame, sampleLog } from './test-log.ts'
import { sendJson, serveTest, type TestServer } from './test-server.ts'

const session = makeId('session', 1_700_000_000_000, new Uint8Array(10))
const log = sampleLog()
const retry = { baseMs: 1, maxMs: 4 }

let server: TestServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const fold = (events: Iterable<AnyEvent>) => {
  const transcript = emptyTranscript()
  for (const event of events) foldTranscript(transcript, event)
  return [...transcript.entries.values()]
}

const placeOf = (headers: NodeJS.Dict<string | string[]>) => Number(headers['last-event-id'] ?? 0)

/** Reads until the last event of the log came, as a caller would: by leaving the loop. */
const readAll = async (
  events: AsyncIterable<AnyEvent>,
  { last = log.length, pause }: { last?: number; pause?: (event: AnyEvent) => Promise<void> } = {},
) => {
  const got: AnyEvent[] = []
  for await (const event of events) {
    got.push(event)
    await pause?.(event)
    if (event.seq === last) break
  }
  return got
}

describe('a stream of events', () => {
  test('is whole wherever the first connection breaks', async () => {
    const short = log.slice(2, 7)
    const bytes = new TextEncoder().encode(short.map(frame).join(''))
    for (let cut = 0; cut <= bytes.length; cut++) {
      let connections = 0
      const fetch = async (_: unknown, init?: RequestInit) => {
        const after = placeOf(Object.fromEntries(new Headers(init?.headers)))
        const rest = new TextEncoder().encode(
          short
            .filter((event) => event.seq > after)
            .map(frame)
            .join(''),
        )
        return streamOf(++connections === 1 ? bytes.subarray(0, cut) : rest, connections === 1)
      }
      const client = createClient({ baseUrl: 'http://berth.test', fetch, retry: { baseMs: 0, maxMs: 0 } })
      const got = await readAll(client.events('default', session), { last: 7 })
      expect(got.map((event) => event.seq)).toEqual(short.map((event) => event.seq))
    }
  })

  test('folds to the replay through cuts, doubled events, drains, compaction and a slow reader', async () => {
    const step = fc.record({
      cut: fc.nat({ max: 3000 }),
      overlap: fc.nat({ max: 4 }),
      compact: fc.boolean(),
      drain: fc.boolean(),
      chunk: fc.integer({ min: 1, max: 400 }),
    })
    let script: { cut: number; overlap: number; compact: boolean; drain: boolean; chunk: number }[] = []
    let isCompacted = false
    server = await serveTest((request, response) => {
      const next = script.shift()
      isCompacted ||= next?.compact === true
      const events = (isCompacted ? compacted(log) : log).filter(
        (event) => event.seq > placeOf(request.headers) - (next?.overlap ?? 0),
      )
      const frames = [': hb\n\n', ...events.map(frame)]
      const text = frames.join('')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (next === undefined) return response.write(text)
      const bytes = Buffer.from(text).subarray(0, next.cut)
      if (next.drain)
        return response.end(
          `${frames.slice(0, next.cut % 20).join('')}event: reconnect\nretry: 1\ndata: {}\n\n`,
        )
      for (let i = 0; i < bytes.length; i += next.chunk) response.write(bytes.subarray(i, i + next.chunk))
      response.write('', () => response.destroy())
    })
    const client = createClient({ baseUrl: server.url, retry })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.nat({ max: 3 }), async (steps, lag) => {
        script = [...steps]
        isCompacted = false
        const pause = async (event: AnyEvent) => {
          if (lag > 0 && event.seq % lag === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        const got = await readAll(client.events('default', session), { pause })
        const places = got.map((event) => event.seq)
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b))
        expect(fold(got)).toEqual(fold(log))
      }),
      { numRuns: 60 },
    )
  })

  test('reads no further ahead than the consumer, but for buffers', async () => {
    const big = 'x'.repeat(60_000)
    let sent = 0
    server = await serveTest((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const more = () => {
        while (sent < 2000 && !response.destroyed) {
          const [start] = log.filter((event) => event.type === 'block.completed')
          const data = { ...start?.data, text: big }
          if (!response.write(frame({ ...start, seq: ++sent, data } as Event))) break
        }
      }
      response.on('drain', more)
      more()
    })
    const stream = createClient({ baseUrl: server.url, retry }).events('default', session)
    await stream.next()
    const before = await settled(() => sent)
    expect(before).toBeLessThan(500)
    await stream.next()
    await stream.return()
  })

  test('takes a silent connection for dead', async () => {
    let connections = 0
    server = await serveTest((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(++connections === 1 ? ': hb\n\n' : log.map(frame).join(''))
    })
    const states: string[] = []
    // The patience of the first connection is over at once, that of the second never.
    const sleep: Ambient['sleep'] = (ms, signal) =>
      realAmbient.sleep(ms === 45_000 && connections === 1 ? 0 : ms, signal)
    const client = createClient({ baseUrl: server.url, retry, ambient: { ...realAmbient, sleep } })
    const onState = (state: { state: string; error?: Error | undefined }) =>
      states.push(state.error?.message ?? state.state)
    const got = await readAll(client.events('default', session, { onState }))
    expect(got).toHaveLength(log.length)
    expect(states).toEqual(['connected', 'The stream was silent for 45 s', 'connected'])
  })

  test('survives a backend that is away or unavailable for a while', async () => {
    let connections = 0
    server = await serveTest((_, response) => {
      if (++connections < 4)
        return sendJson(response, 503, toProblem(new BerthError('unavailable', 'draining'), 'r1'))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(log.map(frame).join(''))
    })
    const client = createClient({ baseUrl: server.url, retry })
    expect(await readAll(client.events('default', session, { after: 3 }))).toHaveLength(log.length - 3)
  })

  test('throws when the backend refuses, and when it ends the stream', async () => {
    server = await serveTest((request, response) => {
      if (request.url?.includes('/other/'))
        return sendJson(response, 404, toProblem(new BerthError('session_not_found', 'gone'), 'r1'))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(
        `${frame(log[0] as Event)}event: end\ndata: {"code":"forbidden","detail":"not yours any more"}\n\n`,
      )
    })
    const client = createClient({ baseUrl: server.url, retry })
    await expect(readAll(client.events('other', session))).rejects.toMatchObject({
      code: 'session_not_found',
      status: 404,
    })
    const error = await readAll(client.events('default', session)).catch((caught: unknown) => caught)
    expect(isApiError(error) && [error.code, error.message]).toEqual(['forbidden', 'not yours any more'])
  })

  test('returns when the signal aborts, while it waits for an event and while it waits to reconnect', async () => {
    server = await serveTest((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': hb\n\n')
    })
    for (const when of ['connected', 'reconnecting']) {
      const abort = new AbortController()
      const onState = ({ state }: { state: string }) => {
        if (state === when) abort.abort()
      }
      const client = createClient({ baseUrl: server.url, retry: { baseMs: 60_000, maxMs: 60_000 } })
      const silenceMs = when === 'reconnecting' ? 10 : 45_000
      const got: AnyEvent[] = []
      for await (const event of client.events('default', session, {
        signal: abort.signal,
        onState,
        silenceMs,
      }))
        got.push(event)
      expect(got).toEqual([])
    }
  })

  test('without follow reads pages and ends', async () => {
    server = await serveTest((request, response) => {
      const after = Number(new URL(request.url ?? '', 'http://x').searchParams.get('after'))
      const items = log.filter((event) => event.seq > after).slice(0, 4)
      const cursor = items.at(-1)?.seq ?? after
      sendJson(response, 200, { items, cursor, more: cursor < log.length })
    })
    const got: AnyEvent[] = []
    for await (const event of createClient({ baseUrl: server.url }).events('default', session, {
      follow: false,
    }))
      got.push(event)
    expect(got).toEqual(log)
  })
})

describe('a stream of project changes', () => {
  test('begins now, loses nothing before its first change, and goes on from a reset', async () => {
    const places: string[] = []
    let connections = 0
    server = await serveTest((request, response) => {
      if (request.headers.accept !== 'text/event-stream')
        return sendJson(response, 200, { items: [], revision: 7 })
      places.push(String(request.headers['last-event-id']))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      if (++connections === 1) return response.end()
      const changes = [
        { type: 'removed', revision: 8, session },
        { type: 'reset', revision: 3 },
      ]
      if (connections === 2)
        return response.end(
          changes.map((change) => `id: ${change.revision}\ndata: ${JSON.stringify(change)}\n\n`).join(''),
        )
      response.write(`id: 4\ndata: ${JSON.stringify({ type: 'removed', revision: 4, session })}\n\n`)
    })
    const got: number[] = []
    for await (const change of createClient({ baseUrl: server.url, retry }).projectChanges('default')) {
      got.push(change.revision)
      if (change.revision === 4) break
    }
    expect(got).toEqual([8, 3, 4])
    expect(places).toEqual(['7', '7', '3'])
  })
})

const streamOf = (bytes: Uint8Array, breaks: boolean) =>
  new Response(
    new ReadableStream({
      start(controller) {
        if (bytes.length > 0) controller.enqueue(bytes)
      },
      pull(controller) {
        if (breaks) controller.error(new TypeError('terminated'))
        else controller.close()
      },
    }),
    { headers: { 'content-type': 'text/event-stream' } },
  )

/** The value once it has not changed for a while of turns of the event loop. */
const settled = async (read: () => number): Promise<number> => {
  let last = -1
  for (let same = 0; same < 50; ) {
    await new Promise((resolve) => setImmediate(resolve))
    same = read() === last ? same + 1 : 0
    last = read()
  }
  return last
}
