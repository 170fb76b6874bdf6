import { createHash } from 'node:crypto'
import { type BlobRef, isBerthError, limits } from '@berth/contract'

/** Where bytes of a checkpoint go. Rejects with StorageFull, or for good when it makes no sense to try again. */
export interface BlobSink {
  put(bytes: Uint8Array): Promise<BlobRef>
}

/** There is no room in the blob store. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull'
}

type PutBlob = (
  blob: string,
  bytes: Uint8Array,
  options: { signal: AbortSignal; timeoutMs: number },
) => Promise<void>

export interface SinkOptions {
  put: PutBlob
  signal: AbortSignal
  onProblem(error: unknown): void
}

const longestWaitMs = 15_000
/** A slow blob store may take this long for one part. */
const slowMs = 600_000

/** Under what bytes are stored. */
export const blobOf = (bytes: Uint8Array): BlobRef => ({
  blob: createHash('sha256').update(bytes).digest('hex'),
  size: bytes.length,
  mediaType: 'application/octet-stream',
})

/** Stores bytes under their hash, and tries for as long as the backend is away. */
export const createBlobSink = ({ put, ...patience }: SinkOptions): BlobSink => ({
  async put(bytes) {
    const ref = blobOf(bytes)
    await patiently(patience, (signal) => put(ref.blob, bytes, { signal, timeoutMs: slowMs }))
    return ref
  },
})

/** Asks the backend again and again while it is away. Rejects when it refuses, with StorageFull when it has no room. */
export const patiently = async <T>(
  { signal, onProblem }: Pick<SinkOptions, 'signal' | 'onProblem'>,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  for (let wait = 250; ; wait = Math.min(wait * 2, longestWaitMs)) {
    try {
      signal.throwIfAborted()
      return await ask(signal)
    } catch (error) {
      signal.throwIfAborted()
      const code = isBerthError(error) ? error.code : undefined
      if (code === 'storage_full') throw new StorageFull(error instanceof Error ? error.message : '')
      if (code !== undefined && code !== 'unavailable' && code !== 'internal') throw error
      onProblem(error)
      await pause(wait, signal)
    }
  }
}

/** Cuts a stream into parts and stores them in order. Rejects when there are more than `mostBytes`. */
export const storeParts = async (
  stream: AsyncIterable<Uint8Array>,
  sink: BlobSink,
  mostBytes: number,
): Promise<BlobRef[]> => {
  const parts: BlobRef[] = []
  let waiting: Uint8Array[] = []
  let size = 0
  let total = 0
  const flush = async () => {
    if (size === 0) return
    const part = Buffer.concat(waiting)
    waiting = []
    size = 0
    parts.push(await sink.put(part))
  }
  for await (const chunk of stream) {
    total += chunk.length
    if (total > mostBytes) throw new TooMuch(total)
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + limits.checkpointPart - size)
      waiting.push(piece)
      size += piece.length
      at += piece.length
      if (size === limits.checkpointPart) await flush()
    }
  }
  await flush()
  return parts
}

/** A stream was longer than it may be. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch'
  readonly bytes: number

  constructor(bytes: number) {
    super(`more than ${bytes} bytes`)
    this.bytes = bytes
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
