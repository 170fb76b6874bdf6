import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { BerthError, type SessionState, sessionBranch } from '@berth/contract'
import type { Store } from '../store/port.ts'
import { longMs, mustRun, quickMs } from './checkpoint-git.ts'
import { findRef, readCheckpoint, treeOf } from './find-checkpoint.ts'
import { type Unpacking, withTree } from './open-checkpoint.ts'
import { makeScratch } from './scratch.ts'
import { workOf } from './work.ts'

export interface BundleRequest {
  state: SessionState
  repository?: string | undefined
  /** What a clone that has the base lacks, or everything. */
  history: 'base' | 'full'
  uncommitted: 'include' | 'leave'
}

export interface Bundle {
  /** For a file: without the suffix. */
  name: string
  size: number
  /** The caller reads it to its end or destroys it. */
  content: Readable
}

/** The session branch as a git bundle, made whole before its first byte is sent. */
export const bundleOf = async (
  { store, unpacking }: { store: Store; unpacking: Unpacking },
  { state, repository, history, uncommitted }: BundleRequest,
): Promise<Bundle> => {
  const { git, blobs, workroom } = unpacking
  const { summary } = state
  const stores = { store, blobs }
  const found = await readCheckpoint(stores, state, await findRef(stores, state, undefined))
  const { name, tree } = treeOf(state, found, repository)
  if (history === 'full' && (tree.shallow ?? tree.basePack?.shallow ?? []).length > 0)
    throw new BerthError(
      'invalid_input',
      'The session has only a part of the history (a clone with a depth), so there is no whole bundle. Ask for history=base.',
      [{ field: 'query.history', message: 'expected base' }],
    )
  const lease = workroom.scratchLease()
  try {
    const { path: scratch } = lease
    const task = async (checkpoint: string) => {
      await makeScratch(git, checkpoint, scratch)
      const options = {
        session: summary.id,
        owner: summary.owner,
        message: summary.title,
        at: found.manifest.at,
        uncommitted,
      }
      const { commit } = await workOf(git, scratch, { tree, options })
      if (history === 'base' && commit === tree.base)
        throw new BerthError(
          'changes_not_found',
          `The session changed nothing in ${name}. Ask for history=full to get what it started from.`,
        )
      const ref = `refs/heads/${sessionBranch(summary.id)}`
      await mustRun(git, { mirror: scratch, args: ['update-ref', ref, commit], timeoutMs: quickMs })
      const range = history === 'base' && tree.base !== undefined ? [`^${tree.base}`, ref] : [ref]
      const args = ['bundle', 'create', '--quiet', join(scratch, 'bundle'), ...range]
      await mustRun(git, { mirror: scratch, args, timeoutMs: longMs })
    }
    await withTree(unpacking, found, { tree, task })
    const { size } = await stat(join(scratch, 'bundle'))
    const content = createReadStream(join(scratch, 'bundle'))
    content.once('close', () => lease.release())
    return { name, size, content }
  } catch (error) {
    lease.release()
    throw error
  }
}
