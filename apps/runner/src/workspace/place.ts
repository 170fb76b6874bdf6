import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runBoxed } from '@berth/git'
import { CloneError } from '../git/explain.ts'
import type { Layout } from '../layout.ts'
import type { HalfClone } from './clone.ts'
import type { TrackedRepository, WorkspaceMemory, WorkspaceState } from './state.ts'
import { letMove, removeTrees, type TreeBox } from './trees.ts'

/** The name under which the workspace's loose files are saved, when there are, or were, no repositories. */
const wholeWorkspace = 'workspace'

/** A workspace without repositories is tracked as a whole, with a hidden git directory beside it; once so, it stays so. */
const withWhole = (state: WorkspaceState): WorkspaceState =>
  state.repositories.length > 0
    ? state
    : { ...state, repositories: [{ name: wholeWorkspace, url: '', branch: '' }] }

const without = (state: WorkspaceState, name: string): WorkspaceState => ({
  ...state,
  repositories: state.repositories.filter((item) => item.url === '' || item.name !== name),
})

/** The repositories of the workspace as the runner remembers them, without the workspace itself. */
export const trackedIn = ({ current }: WorkspaceMemory): TrackedRepository[] =>
  current.repositories.filter(({ url }) => url !== '')

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

/**
 * Puts a clone into the workspace and remembers it, so that a kill at any moment leaves either nothing of it or all.
 * Throws a CloneError when something of the agent's has its name.
 */
export const placeClone = async (
  memory: WorkspaceMemory,
  box: TreeBox,
  { half, tracked }: HalfClone,
): Promise<void> => {
  const { name } = tracked
  const { outside } = box.layout
  try {
    await memory.update((state) => {
      const rest = without(state, name)
      return { ...rest, repositories: [...rest.repositories, { ...tracked, placing: half }] }
    })
    await rename(join(outside.clones, half), join(outside.workspace, name))
  } catch (error) {
    await memory.update((state) => withWhole(without(state, name))).catch(() => undefined)
    await removeTrees(box, 'clones', [half])
    throw new CloneError(
      `The repository ${name} (${tracked.url}) was cloned but can’t be put into the workspace: ` +
        `${(error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'the disk is full' : `something else is at ${name} there`}. ` +
        'Have it moved away, then try again; or add the repository under another name.',
    )
  }
  await memory.update((state) => ({
    ...state,
    repositories: state.repositories.map((item) =>
      item.name === name && item.url !== '' ? { ...item, placing: undefined } : item,
    ),
  }))
}

/** Throws a clone away that nobody wants any more. */
export const discardClone = (box: TreeBox, { half }: HalfClone): Promise<void> =>
  removeTrees(box, 'clones', [half])

/** Moves a repository out of the workspace, and forgets it. Gives what is left to delete. */
export const takeAway = async (
  memory: WorkspaceMemory,
  box: TreeBox,
  name: string,
): Promise<string | undefined> => {
  const { outside } = box.layout
  const half = `${name}.${randomBytes(4).toString('hex')}.gone`
  const place = join(outside.workspace, name)
  const moved = (await isThere(place)) ? half : undefined
  // A link, or whatever else the agent has put there, is moved itself: nothing is followed.
  if (moved !== undefined) {
    await letMove(box, 'workspace', name)
    await rename(place, join(outside.clones, moved))
  }
  await memory.update((state) => withWhole(without(state, name)))
  return moved
}

/**
 * Deletes what was taken away. In the sandbox: a process of the agent may still have a directory of it open, and put
 * links in the way. What can't be deleted now is deleted at the next start.
 */
export const deleteTaken = async (
  { sandbox, layout: { outside, inside } }: TreeBox,
  moved: string,
): Promise<void> => {
  const path = join(outside.clones, moved)
  // Only a directory is shown to the sandbox: of a link, it would be what the link points to.
  if (!(await lstat(path)).isDirectory()) return rm(path, { force: true })
  const target = `${inside.clones}/${moved}`
  await runBoxed(sandbox, {
    script: 'chmod -R u+rwX "$1" 2>/dev/null; find "$1" -mindepth 1 -maxdepth 1 -exec rm -rf -- {} +',
    args: [target],
    mounts: [{ path, mode: 'rw', target }],
    cwd: target,
    temporary: inside.temporary,
    timeoutMs: 300_000,
    outputLimit: 1024,
  })
  await rmdir(path)
}

/** Before anything else at a start: removes what a kill left half made, and forgets what did not come to its place. */
export const repairPlaces = async (memory: WorkspaceMemory, box: TreeBox): Promise<void> => {
  const { outside } = box.layout
  const names = await readdir(outside.clones)
  const kept = memory.current.repositories.flatMap(({ placing, ...item }) =>
    placing !== undefined && names.includes(placing) ? [] : [item],
  )
  // First what is remembered: without its half clone, a repository counts as placed.
  if (memory.current.repositories.some(({ placing }) => placing !== undefined))
    await memory.update((state) => ({ ...state, repositories: kept }))
  await removeTrees(box, 'clones', names)
}

/** Is the repository's directory in the workspace? */
export const isPlaced = ({ outside }: Layout, name: string): Promise<boolean> =>
  isThere(join(outside.workspace, name))

/** Makes the directory in which the agent works again, after its repository was taken away. */
export const makeDirectory = async ({ outside }: Layout, name: string): Promise<void> => {
  await mkdir(join(outside.workspace, name), { mode: 0o770 })
}

/** Tracks the workspace as a whole where it has no repositories. */
export const trackWhole = (memory: WorkspaceMemory): Promise<void> => memory.update(withWhole)
