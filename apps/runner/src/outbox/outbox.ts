import { readFile, rm } from 'node:fs/promises'
import { limits, type RunnerFactBody } from '@berth/contract'
import { type Entry, parseJournal, toLine } from './entry.ts'
import { type Journal, openJournal } from './journal.ts'
import type { Spool } from './spool.ts'

/** A batch's size, in characters of JSON. */
const batchLength = 2 * 1024 * 1024
/** Below this the file isn't made anew: most outboxes never reach it. */
const compactAbove = 1024 * 1024

/** The facts of one generation, numbered, on disk until the backend has them. */
export interface Outbox {
  readonly generation: number
  /** Numbers a fact and keeps it. The blobs that it refers to are in the spool already. */
  append(body: RunnerFactBody, blobs?: readonly string[]): number
  /** The oldest facts that the backend doesn't have, at most `most`. */
  batch(most?: number): readonly Entry[]
  /** The backend has everything up to `n`. */
  acknowledge(n: number): void
  /** Puts another fact in the place of one that the backend refuses. */
  replace(n: number, body: RunnerFactBody): void
  /** The last number that the backend has. */
  readonly acknowledged: number
  readonly pendingBytes: number
  /** Resolves when there is something to send, or the signal aborts. */
  work(signal: AbortSignal): Promise<void>
  /** Resolves when there is room again: the reader of the agent waits for this. */
  room(): Promise<void>
  /** Resolves when the backend has everything. */
  drained(): Promise<void>
  /** Writes what waits to the disk and closes the file, which stays. */
  close(): Promise<void>
  /** Closes and removes the file. */
  remove(): Promise<void>
}

export interface OutboxOptions {
  path: string
  generation: number
  /** The last number that the backend has. */
  acknowledged: number
  spool: Spool
  now(): Date
  onDiskFailure(error: Error): void
  /** Bytes of facts and blobs beyond which `room` waits. Default 64 MB. */
  capacity?: number
}

/** Opens an outbox; facts that stand in its file and that the backend doesn't have are pending again. */
export const openOutbox = async (options: OutboxOptions): Promise<Outbox> => {
  const { generation, spool, capacity = 64 * 1024 * 1024 } = options
  const queue = await readPending(options)
  spool.hold(queue.flatMap((entry) => entry.blobs))
  let { acknowledged } = options
  let last = queue.at(-1)?.n ?? acknowledged
  let bytes = queue.reduce((sum, entry) => sum + entry.fact.length, 0)
  const changed = createSignal()
  const journal: Journal = await openJournal({
    path: options.path,
    kept: () => queue.map(toLine),
    onFailure: options.onDiskFailure,
  })
  const until = async (ready: () => boolean, signal?: AbortSignal) => {
    while (!ready() && signal?.aborted !== true) await changed.next(signal)
  }
  return {
    generation,
    append(body, blobs = []) {
      last += 1
      const fact = JSON.stringify({ n: last, at: options.now().toISOString(), ...body })
      const entry = { n: last, fact, blobs }
      queue.push(entry)
      bytes += fact.length
      spool.hold(blobs)
      journal.append(toLine(entry))
      changed.fire()
      return last
    },
    batch: (most = limits.factsPerBatch) => takeBatch(queue, most),
    acknowledge(n) {
      const count = queue.findIndex((entry) => entry.n > n)
      const gone = queue.splice(0, count === -1 ? queue.length : count)
      acknowledged = Math.max(acknowledged, n)
      for (const entry of gone) bytes -= entry.fact.length
      void spool.release(gone.flatMap((entry) => entry.blobs)).catch(options.onDiskFailure)
      if (journal.size > compactAbove && journal.size > 4 * bytes) journal.compact()
      changed.fire()
    },
    replace(n, body) {
      const entry = queue.find((item) => item.n === n)
      if (entry === undefined) return
      bytes -= entry.fact.length
      entry.fact = JSON.stringify({ n, at: options.now().toISOString(), ...body })
      bytes += entry.fact.length
      journal.compact()
    },
    get acknowledged() {
      return acknowledged
    },
    get pendingBytes() {
      return bytes + spool.bytes
    },
    work: (signal) => until(() => queue.length > 0, signal),
    room: () => until(() => bytes + spool.bytes < capacity),
    drained: () => until(() => queue.length === 0),
    close: () => journal.close(),
    async remove() {
      await journal.close()
      await rm(options.path, { force: true })
    },
  }
}

const readPending = async ({ path, acknowledged }: OutboxOptions): Promise<Entry[]> => {
  const text = await readFile(path, 'utf8').catch(() => '')
  const entries = parseJournal(text).filter((entry) => entry.n > acknowledged)
  // A hole after what the backend has can't be appended, now or ever.
  return entries[0] === undefined || entries[0].n === acknowledged + 1 ? entries : []
}

/** The first entries that fit into one request; one at least. */
export const takeBatch = (queue: readonly Entry[], most: number): readonly Entry[] => {
  let length = 0
  let count = 0
  for (const entry of queue) {
    length += entry.fact.length
    if (count >= most || (count > 0 && length > batchLength)) break
    count += 1
  }
  return queue.slice(0, count)
}

/** Wakes all who wait. */
const createSignal = () => {
  let waiters = new Set<() => void>()
  return {
    fire() {
      const woken = waiters
      waiters = new Set()
      for (const wake of woken) wake()
    },
    next: (signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        const wake = () => {
          waiters.delete(wake)
          signal?.removeEventListener('abort', wake)
          resolve()
        }
        waiters.add(wake)
        signal?.addEventListener('abort', wake)
      }),
  }
}
