import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type CheckpointManifest, limits } from '@berth/contract'
import type { Layout } from '../layout.ts'
import { isBelow } from '../workspace/saved-tree.ts'
import { type BlobSource, fetchBlob } from './fetch-blob.ts'

export interface WriteConversationOptions {
  manifest: CheckpointManifest
  /** Where the agent works: below the workspace. */
  directory: string
  layout: Layout
  source: BlobSource
}

/** Puts the conversation's files into the agent's home, which no agent has used yet. */
export const writeConversation = async (options: WriteConversationOptions): Promise<void> => {
  const { manifest, layout, source } = options
  const projects = join(layout.outside.home, '.claude', 'projects')
  await rm(projects, { recursive: true, force: true })
  for (const { path, parts } of manifest.conversation?.files ?? []) {
    const place = placeOf(options, path)
    if (!isBelow(place)) continue
    await mkdir(dirname(join(projects, place)), { recursive: true, mode: 0o700 })
    const file = await open(join(projects, place), 'w', 0o600)
    try {
      for (const part of parts) await file.writeFile(await fetchBlob(source, part, limits.checkpointPart))
    } finally {
      await file.close()
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
