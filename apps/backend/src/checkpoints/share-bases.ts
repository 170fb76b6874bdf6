import { randomBytes } from 'node:crypto'
import type { CheckpointManifest } from '@berth/contract'
import type { BlobStore } from '../blobs/port.ts'
import { newBaseScope } from '../session/base-scope.ts'
import type { Store } from '../store/port.ts'
import { unreadable } from './checkpoint-git.ts'

type BasePack = NonNullable<CheckpointManifest['trees'][number]['basePack']>

const basePacksOf = ({ trees }: CheckpointManifest): BasePack[] =>
  trees.flatMap(({ basePack }) => basePack ?? [])

/**
 * Puts the base packs of a checkpoint into another project too. Nobody uses them there yet, so they stay for a day before
 * they are swept. First the base, then its parts: what belongs to no base is swept at once.
 */
export const adoptBases = async (
  { store, blobs }: { store: Store; blobs: BlobStore },
  manifest: CheckpointManifest,
  { from, to }: { from: string; to: string },
): Promise<void> => {
  for (const { key, parts } of basePacksOf(manifest)) {
    const source = await store.base(from, key)
    const target = await store.makeBase(to, { key, scope: newBaseScope(randomBytes(16)) })
    for (const { blob } of parts)
      if (source === undefined || !(await blobs.copy(source.scope, blob, target.scope)))
        throw unreadable(`a part of the base pack ${key} is gone`)
    await store.completeBase(to, key, parts)
  }
}

/** Notes that a session needs the bases of a checkpoint. */
export const useBases = async (
  store: Store,
  session: string,
  manifest: CheckpointManifest,
): Promise<void> => {
  for (const { key } of basePacksOf(manifest))
    await store.useBase(session, { key, scope: newBaseScope(randomBytes(16)) })
}
