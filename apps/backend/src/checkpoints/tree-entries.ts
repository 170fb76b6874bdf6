import { type CheckpointGit, mustRun, quickMs } from './checkpoint-git.ts'

/** One entry of a git tree. */
export interface TreeEntry {
  mode: string
  object: string
  /** Of a file or a link; 0 of the others. */
  size: number
  /** Below the tree that was listed. */
  path: string
}

const linePattern = /^([0-7]{6}) (?:blob|tree|commit) ([0-9a-f]{40,64}) +(\d+|-)\t(.*)$/s

export const parseEntries = (text: string): TreeEntry[] =>
  text.split('\0').flatMap((line) => {
    const [, mode, object, size, path] = linePattern.exec(line) ?? []
    if (mode === undefined || object === undefined || path === undefined) return []
    return [{ mode, object, size: Number(size) || 0, path }]
  })

/** Entries of one directory, in git's order: by bytes, a directory as if its name ended with a slash. */
export const listTree = async (git: CheckpointGit, mirror: string, object: string): Promise<TreeEntry[]> => {
  const args = ['ls-tree', '-l', '-z', object]
  return parseEntries(await mustRun(git, { mirror, args, timeoutMs: quickMs, outputLimit: 64 * 1024 * 1024 }))
}

/** What is at a path below a tree; undefined: nothing. */
export const entryAt = async (
  git: CheckpointGit,
  mirror: string,
  { object, path }: { object: string; path: string },
): Promise<TreeEntry | undefined> => {
  // The path as it is: no pattern, and a directory itself, not what is in it.
  const args = ['--literal-pathspecs', 'ls-tree', '-l', '-z', object, '--', path]
  const [entry] = parseEntries(await mustRun(git, { mirror, args, timeoutMs: quickMs }))
  return entry?.path === path ? entry : undefined
}

export const isTree = ({ mode }: TreeEntry): boolean => mode === '040000'
export const isLink = ({ mode }: TreeEntry): boolean => mode === '120000'
export const isSubmodule = ({ mode }: TreeEntry): boolean => mode === '160000'
