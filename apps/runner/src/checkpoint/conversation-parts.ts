import type { BlobRef, CheckpointManifest } from '@berth/contract'
import type { AgentHome } from '../home/agent-home.ts'
import type { ConversationFile } from './conversation-files.ts'
import { type BlobSink, blobOf } from './upload.ts'

type Conversation = NonNullable<CheckpointManifest['conversation']>
type Stored = Conversation['files'][number]

/**
 * Transcripts only grow at their end: parts end at fixed places, so that all but the last are in the blob store already.
 */
const conversationPart = 128 * 1024

export interface StoreConversationOptions {
  agentHome: Pick<AgentHome, 'readConversation'>
  id: string
  files: readonly ConversationFile[]
  /** As the checkpoint before has it. */
  before: Conversation | undefined
  sink: BlobSink
}

/** Stores the files of the conversation, as long as they were. A file that is gone or shorter now is left out. */
export const storeConversation = async (options: StoreConversationOptions): Promise<Conversation> => {
  const { agentHome, id, files, before, sink } = options
  const known = new Set((before?.files ?? []).flatMap(({ parts }) => parts.map(({ blob }) => blob)))
  const once: BlobSink = {
    async put(bytes) {
      const ref = blobOf(bytes)
      return known.has(ref.blob) ? ref : sink.put(bytes)
    },
  }
  const stored: Stored[] = []
  for (const file of files) {
    const parts = await storeFile(agentHome, file, once)
    if (parts !== undefined) stored.push({ ...file, parts })
  }
  return { id, files: stored }
}

const storeFile = async (
  agentHome: StoreConversationOptions['agentHome'],
  { path, size }: ConversationFile,
  sink: BlobSink,
): Promise<BlobRef[] | undefined> => {
  const parts: BlobRef[] = []
  for (let at = 0; at < size; at += conversationPart) {
    const length = Math.min(conversationPart, size - at)
    const bytes = await agentHome.readConversation(path, { at, length })
    if (bytes?.length !== length) return undefined
    parts.push(await sink.put(bytes))
  }
  return parts
}
