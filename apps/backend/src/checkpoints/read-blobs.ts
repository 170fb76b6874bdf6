import { buffer } from 'node:stream/consumers'
import { type BlobRef, type CheckpointManifest, checkpointManifest } from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import { unreadable } from './checkpoint-git.ts'

/** Where the blobs of a checkpoint lie: those of its session, then the base packs that its project shares. */
export type BlobScopes = readonly string[]

const findBlob = async (blobs: BlobStore, scopes: BlobScopes, blob: string) => {
  for (const scope of scopes) {
    const found = await blobs.get(scope, blob)
    if (found !== undefined) return found
  }
  throw unreadable(`the blob ${blob} is gone`)
}

/** Bytes that lie in several blobs, in order. */
export async function* readParts(
  blobs: BlobStore,
  scopes: BlobScopes,
  parts: readonly BlobRef[],
): AsyncGenerator<Buffer, void, undefined> {
  for (const { blob } of parts) {
    const { content } = await findBlob(blobs, scopes, blob)
    yield* content as AsyncIterable<Buffer>
  }
}

const manifestLimit = 32 * 1024 * 1024

/** The manifest of a checkpoint. It was written by a runner, so its form is checked. */
export const readManifest = async (
  blobs: BlobStore,
  session: string,
  { blob }: BlobRef,
): Promise<CheckpointManifest> => {
  const { size, content } = await findBlob(blobs, [session], blob)
  if (size > manifestLimit) {
    content.destroy()
    throw unreadable('its manifest is too large')
  }
  const parsed = checkpointManifest.safeParse(parseJson((await buffer(content)).toString('utf8')))
  if (!parsed.success) throw unreadable('its manifest is not one')
  return parsed.data
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
