import type { CheckpointTree } from '@berth/contract'

/** Where a path of the workspace lies: the innermost tree that holds it, and the rest of the path in there. */
export interface TreePlace {
  tree: CheckpointTree
  rest: string
}

const isBelow = (path: string, directory: string): boolean =>
  directory === '' ? path !== '' : path.startsWith(`${directory}/`)

export const placeOfPath = (trees: readonly CheckpointTree[], path: string): TreePlace | undefined => {
  const holding = trees.filter((tree) => tree.path === path || isBelow(path, tree.path))
  const [tree] = holding.sort((a, b) => b.path.length - a.path.length)
  if (tree === undefined) return undefined
  return { tree, rest: tree.path === '' ? path : path.slice(tree.path.length + 1) }
}

/** Trees inside of a directory, not counting the directory itself. */
export const treesBelow = (trees: readonly CheckpointTree[], path: string): CheckpointTree[] =>
  trees.filter((tree) => isBelow(tree.path, path))

/** Empty directories of all trees, as paths of the workspace. */
const emptyDirectories = (trees: readonly CheckpointTree[]): string[] =>
  trees.flatMap((tree) =>
    tree.emptyDirectories.map((path) => (tree.path === '' ? path : `${tree.path}/${path}`)),
  )

/** Directories that no git tree has: those that are empty, and those in which a tree lies. All below `path`. */
export const bareDirectories = (trees: readonly CheckpointTree[], path: string): string[] =>
  [...trees.map((tree) => tree.path), ...emptyDirectories(trees)].filter((found) => isBelow(found, path))

/** Whether there is a directory at the path that no git tree has. */
export const isBareDirectory = (trees: readonly CheckpointTree[], path: string): boolean =>
  path === '' ||
  trees.some((tree) => tree.path === path) ||
  emptyDirectories(trees).includes(path) ||
  bareDirectories(trees, path).length > 0

/** The name, below a directory, of what leads to a path inside of it. */
export const nameBelow = (path: string, directory: string): string =>
  path.slice(directory === '' ? 0 : directory.length + 1).split('/')[0] ?? ''
