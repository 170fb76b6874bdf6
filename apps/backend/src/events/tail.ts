import type { Audience } from '../auth/session-role.ts'

/** A place in an ordered stream with what stands there, ready to send. */
export interface TailLine {
  position: number
  json: string
  /** Missing: everybody who may read the stream. */
  audience?: Audience
}

export interface TailOptions {
  /** Lines after a place, in order; none when there are none. */
  read: (key: string, after: number) => Promise<TailLine[]>
  /** Bytes of recent lines kept for all keys together. Default 64 MB. */
  maxBytes?: number
}

/** Bytes that one reader is handed at once, more only when one line is larger: what a reader that stalls can hold. */
const batchBytes = 128 * 1024

interface Ring {
  lines: TailLine[]
  /** The last known place; undefined until something was noticed. */
  head: number | undefined
  readers: number
  wakers: Set<() => void>
}

/**
 * Follows ordered streams. A reader has a cursor and no queue: recent lines stand once, already serialised, in a ring
 * per key that exists only while somebody reads it; a reader that lags behind the ring reads from the store. So a slow
 * reader costs nothing, and none loses a line. What is noticed is there to be read; it may come late, doubled, out of order or
 * not at all.
 */
export class Tail {
  readonly #read: TailOptions['read']
  readonly #maxBytes: number
  readonly #rings = new Map<string, Ring>()
  #bytes = 0

  constructor({ read, maxBytes = 64 * 1024 * 1024 }: TailOptions) {
    this.#read = read
    this.#maxBytes = maxBytes
  }

  /** Bytes that the rings hold, and readers that follow. */
  get stats() {
    let readers = 0
    for (const ring of this.#rings.values()) readers += ring.readers
    return { bytes: this.#bytes, readers }
  }

  /** Tells what was added. Without lines: that something was, up to `head`. */
  notice(key: string, head: number, lines?: TailLine[]): void {
    const ring = this.#rings.get(key)
    if (ring === undefined) return
    const last = ring.lines.at(-1)?.position ?? ring.head
    // What another backend added comes late, without lines, or not at all: then the store has what the ring lacks.
    if (last !== undefined && head <= last) return
    if (lines === undefined || (last !== undefined && lines[0]?.position !== last + 1)) this.#clear(ring)
    if (lines !== undefined) {
      ring.lines.push(...lines)
      this.#bytes += sizeOf(lines)
      this.#evict(ring)
    }
    ring.head = Math.max(ring.head ?? 0, head)
    for (const wake of ring.wakers) wake()
  }

  /** What somebody reads. */
  keys(): string[] {
    return [...this.#rings.keys()]
  }

  /** Batches of lines after a place, without end until the signal aborts. Nothing is read ahead of the consumer. */
  async *follow(key: string, after: number, signal: AbortSignal): AsyncGenerator<TailLine[]> {
    const ring = this.#join(key)
    const wait = waiter(ring, signal)
    try {
      let cursor = after
      let behind = true
      while (!signal.aborted) {
        const known = ring.head
        const fresh: TailLine[] | undefined =
          behind && ring.head === undefined ? undefined : fromRing(ring, cursor)
        const lines: TailLine[] = fresh ?? (await this.#read(key, cursor))
        const last = lines.at(-1)
        if (last !== undefined) {
          cursor = last.position
          yield lines
        } else if (fresh === undefined) cursor = Math.max(cursor, known ?? 0) // Up to there nothing is left to read.
        behind = fresh === undefined && last !== undefined
        if (!behind && (ring.head ?? 0) <= cursor && !signal.aborted) await wait.next()
      }
    } finally {
      wait.end()
      this.#leave(key, ring)
    }
  }

  #join(key: string): Ring {
    const ring = this.#rings.get(key) ?? { lines: [], head: undefined, readers: 0, wakers: new Set() }
    ring.readers += 1
    this.#rings.set(key, ring)
    return ring
  }

  #leave(key: string, ring: Ring): void {
    ring.readers -= 1
    if (ring.readers > 0) return
    this.#clear(ring)
    this.#rings.delete(key)
  }

  #clear(ring: Ring): void {
    this.#bytes -= sizeOf(ring.lines)
    ring.lines = []
  }

  /** Halves the rings, the one that just grew first, until everything fits. */
  #evict(grown: Ring): void {
    for (const ring of [grown, ...this.#rings.values()]) {
      if (this.#bytes <= this.#maxBytes) return
      const dropped = ring.lines.splice(0, Math.ceil(ring.lines.length / 2))
      this.#bytes -= sizeOf(dropped)
    }
  }
}

const sizeOf = (lines: TailLine[]) => lines.reduce((sum, line) => sum + line.json.length, 0)

/** The next of what the ring holds after a place; undefined when it does not reach back that far. */
const fromRing = ({ lines, head }: Ring, cursor: number): TailLine[] | undefined => {
  if (head !== undefined && head <= cursor) return []
  const first = lines[0]
  if (first === undefined || first.position > cursor + 1) return undefined
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((lines[middle]?.position ?? 0) <= cursor) low = middle + 1
    else high = middle
  }
  let bytes = 0
  let end = low
  for (; end < lines.length; end++) {
    bytes += lines[end]?.json.length ?? 0
    if (bytes > batchBytes && end > low) break
  }
  return lines.slice(low, end)
}

/** Waits for the next wake-up; one that came while nobody waited counts. */
const waiter = (ring: Ring, signal: AbortSignal) => {
  let woken = false
  let resume: (() => void) | undefined
  const wake = () => {
    woken = true
    resume?.()
  }
  ring.wakers.add(wake)
  signal.addEventListener('abort', wake)
  return {
    next: async () => {
      if (!woken)
        await new Promise<void>((resolve) => {
          resume = resolve
        })
      resume = undefined
      woken = false
    },
    end: () => {
      ring.wakers.delete(wake)
      signal.removeEventListener('abort', wake)
    },
  }
}
