import { readFile } from 'node:fs/promises'
import { checkpointManifest } from '@berth/contract'
import { z } from 'zod'
import { writeDurably } from '../durable.ts'

const stored = z.object({
  /** The last one whose bytes are all in the blob store. */
  manifest: checkpointManifest,
})

export type StoredCheckpoint = z.infer<typeof stored>

/** What the runner knows of the last checkpoint; undefined: nothing, so that the next one stands on its own. */
export const readStored = async (path: string): Promise<StoredCheckpoint | undefined> => {
  try {
    return stored.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

export const writeStored = (path: string, value: StoredCheckpoint): Promise<void> =>
  writeDurably(path, JSON.stringify(value))
