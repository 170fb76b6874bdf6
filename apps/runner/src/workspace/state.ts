import { readFile } from 'node:fs/promises'
import { directoryName } from '@berth/contract'
import { z } from 'zod'
import { writeDurably } from '../durable.ts'

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
  /** The event that added it; missing: it was there from the beginning. */
  since: z.number().optional(),
  /** What is special about the clone: something is left out. For people and the agent. */
  remark: z.string().max(1000).optional(),
  /** The half-made clone that is being moved to its place: while that is there, the repository is not. */
  placing: z.string().optional(),
})

const state = z.object({
  version: z.literal(1),
  turns: z.number().int().nonnegative(),
  repositories: z.array(tracked),
  /** Where the agent works: a repository's directory, or empty for the workspace. Chosen once. */
  directory: z.union([z.literal(''), directoryName]).optional(),
  /** Repositories that the agent knows of, and those that it knows to have failed. Missing: it was told nothing yet. */
  told: z.object({ ready: z.array(z.string()), failed: z.array(z.string()) }).optional(),
  /** A person set the files back to this checkpoint, and the agent was not told yet. */
  setBack: z.object({ number: z.number(), turn: z.string().optional() }).optional(),
})

/** A repository of the workspace as the runner remembers it: what the agent's own git says is not relied upon. */
export type TrackedRepository = z.infer<typeof tracked>

/** What the runner remembers about the workspace, outside of the sandbox. */
export type WorkspaceState = z.infer<typeof state>

const emptyState: WorkspaceState = { version: 1, turns: 0, repositories: [] }

/** The state of a runner's workspace: one holder, so that all who change it see each other's changes. */
export interface WorkspaceMemory {
  readonly current: WorkspaceState
  /** There was nothing that could be read. */
  readonly fresh: boolean
  /** The change counts at once; resolves when it is on disk, in order. */
  update(change: (state: WorkspaceState) => WorkspaceState): Promise<void>
}

/** Opens what is remembered at a path, or begins anew. */
export const openMemory = async (path: string): Promise<WorkspaceMemory> => {
  const found = await readState(path)
  let current = found ?? emptyState
  let writing = Promise.resolve()
  return {
    fresh: found === undefined,
    get current() {
      return current
    },
    update(change) {
      current = change(current)
      const value = current
      const written = writing.then(() => writeState(path, value))
      writing = written.catch(() => undefined)
      return written
    },
  }
}

/** The remembered state; undefined when there is none or it can't be read. */
const readState = async (path: string): Promise<WorkspaceState | undefined> => {
  try {
    return state.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Replaces the remembered state; the old one stays whole until the new one is on disk. */
const writeState = (path: string, value: WorkspaceState): Promise<void> =>
  writeDurably(path, JSON.stringify(value))
