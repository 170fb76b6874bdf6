import { join } from 'node:path'
import { type CheckpointManifest, limits } from '@berth/contract'
import type { AgentHome } from '../home/agent-home.ts'
import { mostBytes } from '../home/home-calls.ts'
import type { Layout } from '../layout.ts'
import { isBelow } from '../workspace/saved-tree.ts'
import { type BlobSource, fetchBlob } from './fetch-blob.ts'

export interface WriteConversationOptions {
  manifest: CheckpointManifest
  /** Where the agent works: below the workspace. */
  directory: string
  layout: Layout
  agentHome: Pick<AgentHome, 'clearConversation' | 'writeConversation'>
  source: BlobSource
}

/** Puts the conversation's files into the agent's home, which no agent has used yet. */
export const writeConversation = async (options: WriteConversationOptions): Promise<void> => {
  const { manifest, agentHome, source } = options
  await agentHome.clearConversation()
  for (const { path, parts } of manifest.conversation?.files ?? []) {
    const place = placeOf(options, path)
    if (!isBelow(place)) continue
    let at = 0
    // One without parts is empty, and there all the same.
    if (parts.length === 0) await agentHome.writeConversation(place, at, Buffer.alloc(0))
    for (const part of parts) {
      const bytes = await fetchBlob(source, part, limits.checkpointPart)
      for (let from = 0; from < bytes.length; from += mostBytes)
        await agentHome.writeConversation(place, at + from, bytes.subarray(from, from + mostBytes))
      at += bytes.length
    }
  }
}

/** Claude Code keeps conversations by the directory that it works in: where paths are not the same everywhere, that is another one. */
const placeOf = ({ manifest, directory, layout }: WriteConversationOptions, path: string): string => {
  const { inside, outside } = layout
  if (inside.workspace !== outside.workspace) return path
  const main = manifest.conversation?.files.find((file) =>
    file.path.endsWith(`/${manifest.conversation?.id}.jsonl`),
  )
  const was = main?.path.split('/')[0]
  const now = join(inside.workspace, directory).replace(/[^A-Za-z0-9]/g, '-')
  return was !== undefined && path.startsWith(`${was}/`) ? `${now}${path.slice(was.length)}` : path
}
