import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobRef } from '@berth/contract'
import { writeDurably } from '../durable.ts'

/** Blobs on disk until the backend has them. */
export interface Spool {
  /** Keeps the bytes; they are on disk when this resolves. The same bytes are kept once. */
  put(bytes: Uint8Array, mediaType?: string): Promise<BlobRef>
  /** The bytes, or undefined when they are gone. */
  get(blob: string): Promise<Buffer | undefined>
  /** Counts the entries that need a blob. */
  hold(blobs: readonly string[]): void
  /** Forgets what no entry needs any more. */
  release(blobs: readonly string[]): Promise<void>
  /** Removes everything that nobody holds. */
  sweep(): Promise<void>
  /** Bytes of the blobs that are held or were just put. */
  readonly bytes: number
}

/** Opens the spool in a directory, which is made. */
export const openSpool = async (directory: string): Promise<Spool> => {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const holders = new Map<string, number>()
  const sizes = new Map<string, number>()
  const path = (blob: string) => join(directory, blob)
  const forget = async (blob: string) => {
    sizes.delete(blob)
    await rm(path(blob), { force: true })
  }
  const hold = (blobs: readonly string[]) => {
    for (const blob of blobs) holders.set(blob, (holders.get(blob) ?? 0) + 1)
  }
  return {
    async put(bytes, mediaType = 'text/plain; charset=utf-8') {
      const blob = createHash('sha256').update(bytes).digest('hex')
      if (!sizes.has(blob)) {
        sizes.set(blob, bytes.length)
        await writeDurably(path(blob), bytes)
      }
      return { blob, size: bytes.length, mediaType }
    },
    get: (blob) => readFile(path(blob)).catch(() => undefined),
    hold,
    async release(blobs) {
      for (const blob of blobs) {
        const left = (holders.get(blob) ?? 1) - 1
        if (left > 0) holders.set(blob, left)
        else {
          holders.delete(blob)
          await forget(blob)
        }
      }
    },
    async sweep() {
      for (const name of await readdir(directory)) if (!holders.has(name)) await forget(name)
    },
    get bytes() {
      return [...sizes.values()].reduce((sum, size) => sum + size, 0)
    },
  }
}
