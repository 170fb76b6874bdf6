import type { GitSurroundings } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import type { BlobStore } from '../blobs/port.ts'
import type { Store } from '../store/port.ts'
import { createCheckpointGit } from './checkpoint-git.ts'
import type { CheckpointFiles } from './files.ts'
import type { Unpacking } from './open-checkpoint.ts'
import { createCheckpointFiles } from './stored-files.ts'
import { Workroom } from './workroom.ts'

/** What the backend needs to work with checkpoints. */
export interface CheckpointParts {
  /** Where they are unpacked; belongs to one process at a time. */
  directory: string
  /** The operator's surroundings: git talks to origins with the operator's own credentials. */
  git: GitSurroundings
  /** Where git touches an origin on this machine, whose configuration nobody trusts. */
  sandbox: Sandbox
}

/** Checkpoints as the backend uses them. */
export interface Checkpoints {
  unpacking: Unpacking
  sandbox: Sandbox
  files: CheckpointFiles
}

/** Removes what an earlier process left, and opens the rest as it is asked for. */
export const openCheckpoints = async (
  { store, blobs }: { store: Store; blobs: BlobStore },
  { directory, git, sandbox }: CheckpointParts,
): Promise<Checkpoints> => {
  const workroom = await Workroom.open({ directory })
  const unpacking = { git: createCheckpointGit(git), blobs, workroom }
  return { unpacking, sandbox, files: createCheckpointFiles(store, unpacking) }
}
