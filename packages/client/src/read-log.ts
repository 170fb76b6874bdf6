import { type AnyEvent, parseEvent } from '@berth/contract'
import { callRoute } from './call.ts'
import { openStream, type StreamSource } from './open-stream.ts'
import { resumeStream, type StreamState } from './resume.ts'

export interface StreamOptions {
  /** The last event that the caller has. Default: 0, from the beginning. */
  after?: number
  /** Ends the stream; it then returns without an error. */
  signal?: AbortSignal
  /** False: end at the last event of now. Default: true. */
  follow?: boolean
  /** Told when the connection comes and goes. */
  onState?: (state: StreamState) => void
  /** Silence after which a connection counts as dead. Default: 45,000 ms; the backend's heartbeat is 10,000 ms. */
  silenceMs?: number
}

export const defaultSilenceMs = 45_000

/** The events of a log after `after`: a page at a time up to now, or a stream that goes on. */
export const readLog = (
  source: StreamSource,
  options: StreamOptions,
): AsyncGenerator<AnyEvent, void, undefined> =>
  options.follow === false ? readPages(source, options) : followLog(source, options)

const followLog = (source: StreamSource, options: StreamOptions) =>
  resumeStream({
    url: source.transport.baseUrl + source.row.path,
    after: options.after ?? 0,
    connect: (after, signal) => openStream(source, after, signal),
    parse: parseEvent,
    place: (event) => event.seq,
    silenceMs: options.silenceMs ?? defaultSilenceMs,
    retry: source.transport.retry,
    ambient: source.transport.ambient,
    signal: options.signal,
    onState: options.onState,
  })

async function* readPages({ transport, row, params }: StreamSource, { after = 0, signal }: StreamOptions) {
  for (let more = true; more; ) {
    const input = { params, query: { after, limit: 500 }, ...(signal === undefined ? {} : { signal }) }
    const page = (await callRoute(transport, row, input)) as EventPage
    for (const event of page.items.map(parseEvent)) {
      if (event.seq <= after) continue
      after = event.seq
      yield event
    }
    more = page.more && page.items.length > 0
  }
}

interface EventPage {
  items: unknown[]
  more: boolean
}
