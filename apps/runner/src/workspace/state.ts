import { open, readFile, rename } from 'node:fs/promises'
import { directoryName } from '@berth/contract'
import { z } from 'zod'

const commit = z.string().regex(/^[0-9a-f]{40,64}$/)

const tracked = z.object({
  name: directoryName,
  url: z.string(),
  /** The branch it was taken from; empty for a repository without commits. */
  branch: z.string(),
  /** The commit that the session branch started from; missing when there was none. */
  base: commit.optional(),
  /** The last saved state; missing before the first turn. */
  shadow: commit.optional(),
})

const state = z.object({
  version: z.literal(1),
  turns: z.number().int().nonnegative(),
  repositories: z.array(tracked),
})

/** A repository of the workspace as the runner remembers it: what the agent's own git says is not relied upon. */
export type TrackedRepository = z.infer<typeof tracked>

/** What the runner remembers about the workspace, outside of the sandbox. */
export type WorkspaceState = z.infer<typeof state>

export const emptyState: WorkspaceState = { version: 1, turns: 0, repositories: [] }

/** The remembered state; undefined when there is none or it can't be read. */
export const readState = async (path: string): Promise<WorkspaceState | undefined> => {
  try {
    return state.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Replaces the remembered state; the old one stays whole until the new one is on disk. */
export const writeState = async (path: string, value: WorkspaceState): Promise<void> => {
  const file = await open(`${path}.new`, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(value))
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
