import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { type BlobRef, type Event, type ForkOrigin, limits } from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import type { Store } from '../store/port.ts'
import { readParts } from './read-blobs.ts'

export interface HistoryOptions {
  session: string
  /** The last event that belongs to it. */
  upTo: number
  /** What the session itself was forked from: its history comes first. */
  fork: ForkOrigin | undefined
  /** Most bytes. What is too much is left out from the beginning. */
  maxBytes?: number
}

export interface History {
  bytes: Buffer
  /** Blobs that its events refer to. */
  blobs: Set<string>
}

/** Says nothing of the conversation, or only how it came about. */
const left: ReadonlySet<string> = new Set([
  'block.delta',
  'agent.raw',
  'agent.status',
  'agent.resources',
  'start.step',
])

/** Refers to bytes that only the session itself has a use for. */
const ofItself: ReadonlySet<string> = new Set([
  'checkpoint.saved',
  'workspace.restore_requested',
  'session.created',
  'operation.requested',
  'operation.completed',
])

/** Lines that are kept while there is room, the newest counting most. */
class Lines {
  readonly #maxBytes: number
  #lines: Buffer[] = []
  #first = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(text: string) {
    const line = Buffer.from(`${text}\n`)
    this.#lines.push(line)
    this.#bytes += line.length
    while (this.#bytes > this.#maxBytes && this.#first < this.#lines.length) {
      this.#bytes -= this.#lines[this.#first]?.length ?? 0
      this.#first += 1
    }
  }

  get kept(): Buffer[] {
    return this.#lines.slice(this.#first)
  }
}

/** What was said up to an event, as JSON lines: what a fork shows before its own log. */
export const historyOf = async (
  { store, blobs }: { store: Store; blobs: BlobStore },
  { session, upTo, fork, maxBytes = limits.blob }: HistoryOptions,
): Promise<History> => {
  const lines = new Lines(maxBytes)
  if (fork !== undefined)
    for await (const line of splitLines(readParts(blobs, [session], [fork.history]))) lines.add(line)
  const waiting = await promptsThatWait(store, session, upTo)
  for await (const { json, event } of readEvents(store, session, upTo)) {
    if (left.has(event.type)) continue
    if (event.type === 'prompt.queued' && waiting.has(event.data.prompt)) continue
    lines.add(json)
  }
  const { kept } = lines
  const refs = new Set<string>()
  for (const line of kept) collectBlobs(JSON.parse(line.toString('utf8')) as Event, refs)
  return { bytes: Buffer.concat(kept), blobs: refs }
}

async function* readEvents(store: Store, session: string, upTo: number) {
  for (let after = 0; after < upTo; ) {
    const page = await store.events(session, { after, limit: 1000, maxBytes: 4 * 1024 * 1024 })
    if (page.length === 0) return
    for (const { seq, json } of page) {
      if (seq > upTo) return
      after = seq
      yield { json, event: JSON.parse(json) as Event }
    }
  }
}

/** Prompts that had no turn yet belong to the session that goes on, not to the fork. */
const promptsThatWait = async (store: Store, session: string, upTo: number): Promise<Set<string>> => {
  const waiting = new Set<string>()
  for await (const { event } of readEvents(store, session, upTo)) {
    if (event.type === 'prompt.queued') waiting.add(event.data.prompt)
    if (event.type === 'turn.started') waiting.delete(event.data.prompt)
  }
  return waiting
}

async function* splitLines(chunks: AsyncIterable<Buffer>) {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
    }
  }
}

const collectBlobs = (event: Event, found: Set<string>): void => {
  if (!ofItself.has(event.type)) walk(event.data, found)
}

const walk = (value: unknown, found: Set<string>): void => {
  if (typeof value !== 'object' || value === null) return
  if ('blob' in value && 'size' in value && typeof value.blob === 'string') found.add(value.blob)
  else for (const inner of Object.values(value)) walk(inner, found)
}

/** Stores a history under its hash. */
export const storeHistory = async (
  blobs: BlobStore,
  session: string,
  { bytes }: History,
): Promise<BlobRef> => {
  const blob = createHash('sha256').update(bytes).digest('hex')
  await blobs.put(session, { blob, content: Readable.from([bytes]), maxBytes: limits.blob })
  return { blob, size: bytes.length, mediaType: 'application/x-ndjson' }
}
