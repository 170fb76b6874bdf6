import { createHash } from 'node:crypto'
import type { CheckpointTree } from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import type { CheckpointGit } from './checkpoint-git.ts'
import type { FoundCheckpoint } from './find-checkpoint.ts'
import { unpackTree } from './unpack.ts'
import type { Lease, Workroom } from './workroom.ts'

export interface Unpacking {
  git: CheckpointGit
  blobs: BlobStore
  workroom: Workroom
}

/** The repository with the objects of one tree of a checkpoint, for as long as the lease is held. Nobody writes to it. */
export const openTree = (
  { git, blobs, workroom }: Unpacking,
  { ref, scopes }: FoundCheckpoint,
  tree: CheckpointTree,
): Promise<Lease> => {
  const key = createHash('sha256').update(`${ref.manifest.blob}\0${tree.path}`).digest('hex')
  return workroom.acquire(key, (path) => unpackTree({ git, blobs, scopes }, tree, path))
}

/** The same for the time of a task. */
export const withTree = async <T>(
  unpacking: Unpacking,
  found: FoundCheckpoint,
  { tree, task }: { tree: CheckpointTree; task: (path: string) => Promise<T> },
): Promise<T> => {
  const lease = await openTree(unpacking, found, tree)
  try {
    return await task(lease.path)
  } finally {
    lease.release()
  }
}
