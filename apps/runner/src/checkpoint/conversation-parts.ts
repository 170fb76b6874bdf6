import type { FileHandle } from 'node:fs/promises'
import type { BlobRef, CheckpointManifest } from '@berth/contract'
import { type ConversationFile, openConversationFile } from './conversation-files.ts'
import { type BlobSink, blobOf } from './upload.ts'

type Conversation = NonNullable<CheckpointManifest['conversation']>
type Stored = Conversation['files'][number]

/**
 * Transcripts only grow at their end: parts end at fixed places, so that all but the last are in the blob store already.
 */
const conversationPart = 128 * 1024

export interface StoreConversationOptions {
  home: string
  id: string
  files: readonly ConversationFile[]
  /** As the checkpoint before has it. */
  before: Conversation | undefined
  sink: BlobSink
}

/** Stores the files of the conversation, as long as they were. A file that is gone or shorter now is left out. */
export const storeConversation = async (options: StoreConversationOptions): Promise<Conversation> => {
  const { home, id, files, before, sink } = options
  const known = new Set((before?.files ?? []).flatMap(({ parts }) => parts.map(({ blob }) => blob)))
  const once: BlobSink = {
    async put(bytes) {
      const ref = blobOf(bytes)
      return known.has(ref.blob) ? ref : sink.put(bytes)
    },
  }
  const stored: Stored[] = []
  for (const file of files) {
    const parts = await storeFile(home, file, once)
    if (parts !== undefined) stored.push({ ...file, parts })
  }
  return { id, files: stored }
}

const storeFile = async (
  home: string,
  { path, size }: ConversationFile,
  sink: BlobSink,
): Promise<BlobRef[] | undefined> => {
  const file = await openConversationFile(home, path)
  if (file === undefined) return undefined
  try {
    const parts: BlobRef[] = []
    for (let at = 0; at < size; at += conversationPart) {
      const bytes = Buffer.alloc(Math.min(conversationPart, size - at))
      if (!(await fill(file, bytes, at))) return undefined
      parts.push(await sink.put(bytes))
    }
    return parts
  } finally {
    await file.close()
  }
}

const fill = async (from: FileHandle, bytes: Buffer, at: number): Promise<boolean> => {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await from.read(bytes, done, bytes.length - done, at + done)
    if (bytesRead === 0) return false
    done += bytesRead
  }
  return true
}
