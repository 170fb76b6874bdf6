import { type RunnerWelcome, sessionBranch, type WantedRepository } from '@berth/contract'
import { keyOf } from './news.ts'
import { isPlaced, repairPlaces, takeAway, trackedIn, trackWhole } from './place.ts'
import { nameOf, type Repositories, type RepositoriesOptions } from './repositories.ts'
import type { TrackedRepository } from './state.ts'
import { removeTrees } from './trees.ts'

export interface PrepareOptions extends RepositoriesOptions {
  welcome: RepositoriesOptions['welcome'] & Pick<RunnerWelcome, 'resumed' | 'directory'>
  repositories: Repositories
}

/**
 * Brings the workspace in line with what should be there: clones what is missing, in parallel, keeps what is there as it
 * is, and takes away what was removed. A repository that can't be had is told; only a session that has nothing yet, and
 * gets nothing, can't start: then it throws a CloneError. What an earlier, killed attempt left is repaired first.
 */
export const prepareWorkspace = async (options: PrepareOptions): Promise<void> => {
  const { welcome, memory, emit, repositories } = options
  await repairPlaces(memory, options)
  await chooseDirectory(options)
  for (const tracked of trackedIn(memory))
    if (!isWanted(repositories.wanted.get(tracked.name), tracked)) await remove(options, tracked.name)
  const wanted = [...repositories.wanted.values()]
  const settled = await Promise.allSettled(wanted.map((repository) => prepareOne(options, repository)))
  const failed = settled.find((result) => result.status === 'rejected')
  const nothing = failed !== undefined && settled.every(({ status }) => status === 'rejected')
  const fromTheBeginning = wanted.some(({ since }) => since === undefined)
  if (nothing && fromTheBeginning && memory.current.turns === 0) throw failed.reason
  await trackWhole(memory)
  // In the order in which they were asked for, not in which their clones were done.
  const names = [...repositories.wanted.keys()]
  const place = ({ url, name }: TrackedRepository) => (url === '' ? -1 : names.indexOf(name))
  await memory.update((state) => ({
    ...state,
    repositories: state.repositories.toSorted((a, b) => place(a) - place(b)),
  }))
  if (memory.current.told === undefined) {
    // What the agent finds by itself, unless something about it has to be said.
    const plain = trackedIn(memory).filter(({ remark }) => remark === undefined)
    const told = { ready: plain.map(keyOf), failed: [] }
    await memory.update((state) => ({ ...state, told }))
  }
  const branch = sessionBranch(welcome.session)
  const ready = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  emit({
    type: 'workspace.ready',
    data: {
      repositories: ready.map(({ name, url, branch: from, base }) => ({
        name,
        url,
        branch: from,
        base,
        sessionBranch: branch,
      })),
      directory: memory.current.directory,
    },
  })
}

/**
 * With one repository the agent works in it, so that its `CLAUDE.md` and `.claude/` count; with several, or none, in the
 * workspace. Chosen at the first start and never again: Claude Code keeps conversations by directory.
 */
const chooseDirectory = async ({ memory, welcome, repositories }: PrepareOptions): Promise<void> => {
  const [only, ...others] = repositories.wanted.keys()
  const first = only === undefined || others.length > 0 ? '' : only
  const directory = welcome.directory ?? memory.current.directory ?? first
  if (directory !== memory.current.directory) await memory.update((state) => ({ ...state, directory }))
}

const isWanted = (wanted: WantedRepository | undefined, { url, since }: TrackedRepository): boolean =>
  wanted?.url === url && wanted.since === since

const remove = async (options: PrepareOptions, name: string): Promise<void> => {
  const moved = await takeAway(options.memory, options, name)
  // Nothing of the agent lives now, so nothing can put a link in the way.
  if (moved !== undefined) await removeTrees(options, 'clones', [moved])
  options.emit({ type: 'repository.state', data: { name, state: 'removed' } })
}

const prepareOne = async (
  options: PrepareOptions,
  repository: WantedRepository,
): Promise<TrackedRepository> => {
  const { emit, now, repositories } = options
  const name = nameOf(repository)
  const kept = await keep(options, repository, name)
  if (kept !== undefined) return kept
  const began = now()
  const step = (state: 'started' | 'done' | 'failed', more: { ms?: number; message?: string } = {}) =>
    emit({ type: 'start.step', data: { step: 'clone', item: name, state, ...more } })
  step('started')
  try {
    const cloned = await repositories.clone(repository)
    step('done', { ms: Math.round(now() - began) })
    return cloned
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    step('failed', { ms: Math.round(now() - began), message: message.slice(0, 4000) })
    throw error
  }
}

/** The repository as it is in the workspace; undefined: it has to be cloned. */
const keep = async (
  options: PrepareOptions,
  { url, branch, since }: WantedRepository,
  name: string,
): Promise<TrackedRepository | undefined> => {
  const { memory, layout, welcome } = options
  if (!(await isPlaced(layout, name))) return undefined
  const tracked = trackedIn(memory).find((item) => item.name === name)
  if (tracked !== undefined) return tracked
  if (!welcome.resumed) {
    // Nothing has worked here yet: it is the leaf of an attempt that was killed.
    await removeTrees(options, 'workspace', [name])
    return undefined
  }
  if (!memory.fresh) return undefined
  // What was remembered is lost: the agent's work counts more than a base to compare with.
  const found = { name, url, branch: branch ?? '', since }
  await memory.update((state) => ({ ...state, repositories: [...state.repositories, found] }))
  return found
}
