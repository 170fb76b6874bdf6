import type { BlobRef, CheckpointManifest, CheckpointTree } from '@berth/contract'
import type { SavedTree } from '../workspace/saved-tree.ts'
import type { TrackedRepository } from '../workspace/state.ts'
import type { BasePack } from './base-pack.ts'
import { Unpackable } from './pack.ts'

/** After this many packs on top of each other everything is packed anew. */
const packsInChain = 20

export interface TreePacking {
  tree: SavedTree
  /** Of a repository of the session. */
  tracked: TrackedRepository | undefined
  /** The tree in the checkpoint before. */
  before: CheckpointTree | undefined
  base: BasePack | undefined
  number: number
  pack(list: PackList): Promise<BlobRef[]>
}

export interface PackList {
  wants: string[]
  haves: string[]
  full: boolean
}

/** A tree of the manifest, and what of it could not be kept. */
export interface PackedTree {
  entry: CheckpointTree
  omitted: string[]
}

/**
 * Packs what the tree has more than in the checkpoint before, or everything above its base. When the agent's repository is
 * broken, its history is given up and the files alone are packed.
 */
export const packSavedTree = async (packing: TreePacking): Promise<PackedTree> => {
  const { tree, before, base, number, pack } = packing
  const wants = wantsOf(tree)
  const had = before === undefined ? [] : wantsOf(before)
  const entry = (packs: CheckpointTree['packs'], kept: SavedTree): CheckpointTree =>
    entryOf(packing, packs, kept)
  if (before !== undefined && wants.every((object) => had.includes(object)))
    return { entry: entry(before.packs, tree), omitted: [] }
  const floor = base === undefined ? [] : [base.commit]
  const onTop = before !== undefined && before.packs.length < packsInChain && sameBase(before, base)
  try {
    const parts = await pack(
      onTop ? { wants, haves: [...had, ...floor], full: false } : { wants, haves: floor, full: true },
    )
    const packs = parts.length === 0 ? [] : [{ number, parts }]
    return { entry: entry(onTop ? [...before.packs, ...packs] : packs, tree), omitted: [] }
  } catch (error) {
    if (!(error instanceof Unpackable)) throw error
    const bare: SavedTree = tree.repository === undefined ? tree : { ...tree, repository: noHistory(tree) }
    const parts = await pack({ wants: [tree.commit], haves: [], full: true })
    const what = `${tree.path || 'workspace'}: branches and history, as ${error.message}`
    return { entry: entry([{ number, parts }], bare), omitted: [what] }
  }
}

const noHistory = ({ repository }: SavedTree) => ({
  refs: {},
  head: repository?.head?.startsWith('refs/') ? repository.head : undefined,
  shallow: [],
})

/** Everything that has to be there again: the files, and what branches and tags and HEAD point at. */
const wantsOf = (tree: SavedTree | CheckpointTree): string[] => {
  const shadow = 'commit' in tree ? tree.commit : tree.shadow
  const { refs, head } = 'commit' in tree ? (tree.repository ?? { refs: {}, head: undefined }) : tree
  const detached = head !== undefined && !head.startsWith('refs/') ? [head] : []
  return [...new Set([shadow, ...Object.values(refs ?? {}), ...detached])]
}

const sameBase = (before: CheckpointTree, base: BasePack | undefined) => before.basePack?.key === base?.key

const entryOf = (
  { tracked, base }: TreePacking,
  packs: CheckpointTree['packs'],
  tree: SavedTree,
): CheckpointTree => {
  const { path, commit, repository, emptyDirectories, files, bytes } = tree
  const of =
    tracked === undefined || tracked.url === ''
      ? {}
      : { url: tracked.url, branch: tracked.branch, base: tracked.base }
  return {
    path,
    ...of,
    shadow: commit,
    ...(repository === undefined
      ? {}
      : {
          refs: repository.refs,
          head: repository.head,
          ...(repository.shallow.length === 0 ? {} : { shallow: repository.shallow }),
        }),
    ...(base === undefined ? {} : { basePack: base }),
    packs,
    emptyDirectories,
    files,
    bytes,
  }
}

/** Does the checkpoint before hold the very same trees? */
export const sameTrees = (trees: readonly SavedTree[], before: CheckpointManifest): boolean =>
  trees.length === before.trees.length &&
  trees.every((tree) => {
    const was = before.trees.find(({ path }) => path === tree.path)
    return was !== undefined && digest(tree.path, tree) === digest(was.path, was)
  })

const digest = (path: string, tree: SavedTree | CheckpointTree): string => {
  const { refs, head } = 'commit' in tree ? (tree.repository ?? { refs: undefined, head: undefined }) : tree
  const sorted = Object.entries(refs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([path, wantsOf(tree)[0], sorted, head, tree.emptyDirectories])
}
