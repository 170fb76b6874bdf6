import { createHash } from 'node:crypto'
import type { RunnerClient } from '@berth/client'
import { type BlobRef, type CheckpointManifest, checkpointManifest, limits } from '@berth/contract'
import { patiently } from '../checkpoint/upload.ts'
import { RestoreError } from './restore-error.ts'

type Opened = Awaited<ReturnType<RunnerClient['getBlob']>>

/** Where the parts of a checkpoint come from. */
export interface BlobSource {
  home: Pick<RunnerClient, 'getBlob' | 'getBasePart' | 'useBase'>
  signal: AbortSignal
  onProblem(error: unknown): void
}

/** A slow blob store may take this long for one part. */
const slowMs = 600_000
const longestManifest = 64 * 1024 * 1024

/** The bytes of a blob of the session; tried for as long as the backend is away. Rejects when they are not what they should be. */
export const fetchBlob = (
  source: BlobSource,
  ref: BlobRef,
  most: number = limits.checkpointPart,
): Promise<Buffer> =>
  fetchWhole(source, { ref, most }, (signal) => source.home.getBlob(ref.blob, { signal, timeoutMs: slowMs }))

/** The same for a part of a base pack. */
export const fetchBasePart = (source: BlobSource, base: string, ref: BlobRef): Promise<Buffer> =>
  fetchWhole(source, { ref, most: limits.checkpointPart }, (signal) =>
    source.home.getBasePart({ base, blob: ref.blob }, { signal, timeoutMs: slowMs }),
  )

/** The manifest that a checkpoint names. */
export const fetchManifest = async (source: BlobSource, ref: BlobRef): Promise<CheckpointManifest> => {
  const bytes = await fetchBlob(source, ref, longestManifest)
  const parsed = checkpointManifest.safeParse(parseJson(bytes))
  if (parsed.success) return parsed.data
  throw new RestoreError('its manifest can’t be read')
}

const parseJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

const fetchWhole = async (
  source: BlobSource,
  { ref, most }: { ref: BlobRef; most: number },
  open: (signal: AbortSignal) => Promise<Opened>,
): Promise<Buffer> => {
  if (ref.size > most) throw new RestoreError(`a part of it is larger than ${most} bytes`)
  const bytes = await patiently(source, async (signal) => read(await open(signal), ref.size))
  if (bytes.length === ref.size && createHash('sha256').update(bytes).digest('hex') === ref.blob) return bytes
  throw new RestoreError(`part ${ref.blob} of it is not what it was`)
}

/** No more than announced, and a byte to notice that there is more. */
const read = async ({ stream }: Opened, size: number): Promise<Buffer> => {
  const chunks: Uint8Array[] = []
  let left = size + 1
  for await (const chunk of stream) {
    chunks.push(chunk.subarray(0, left))
    left -= chunk.length
    if (left <= 0) break
  }
  return Buffer.concat(chunks)
}
