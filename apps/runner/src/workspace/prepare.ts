import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Repository,
  type RunnerFactBody,
  type RunnerWelcome,
  repositoryName,
  sessionBranch,
} from '@berth/contract'
import type { GitSurroundings } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { localSource } from '../git/local-source.ts'
import { remoteSource, updateMirror } from '../git/mirror.ts'
import type { Layout } from '../layout.ts'
import { cloneFromMirror } from './clone.ts'
import { emptyState, readState, type TrackedRepository, type WorkspaceState, writeState } from './state.ts'

export interface PrepareOptions {
  welcome: Pick<
    RunnerWelcome,
    'session' | 'project' | 'owner' | 'repositories' | 'repositoryRoots' | 'resumed'
  >
  layout: Layout
  sandbox: Sandbox
  mirrorDirectory: string
  surroundings: GitSurroundings
  emit(body: RunnerFactBody): void
  now(): number
}

/**
 * Makes the workspace: clones what is missing, in parallel, and keeps what is there as it is. Throws a CloneError when
 * a repository can't be had; then nothing half-made is left. Leaves of an earlier, killed attempt are removed.
 */
export const prepareWorkspace = async (options: PrepareOptions): Promise<WorkspaceState> => {
  const { layout, welcome, emit } = options
  const known = (await readState(layout.outside.state)) ?? emptyState
  await removeHalfClones(layout)
  const settled = await Promise.allSettled(
    welcome.repositories.map((repository) => prepareOne(options, known, repository)),
  )
  const failed = settled.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const repositories = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const state = { ...known, repositories: [...repositories, ...ownDirectory(known, repositories)] }
  await writeState(layout.outside.state, state)
  const branch = sessionBranch(welcome.session)
  emit({
    type: 'workspace.ready',
    data: {
      repositories: repositories.map(({ shadow: _, ...item }) => ({ ...item, sessionBranch: branch })),
    },
  })
  return state
}

/** The name under which an empty workspace is tracked as a whole. */
const wholeWorkspace = 'workspace'

/** Without repositories the workspace itself is tracked, with a hidden git directory beside it. */
const ownDirectory = (
  known: WorkspaceState,
  repositories: readonly TrackedRepository[],
): TrackedRepository[] => {
  if (repositories.length > 0) return []
  const own = known.repositories.find(({ url }) => url === '')
  return [own ?? { name: wholeWorkspace, url: '', branch: '' }]
}

const removeHalfClones = async ({ outside }: Layout): Promise<void> => {
  const names = await readdir(outside.clones)
  await Promise.all(names.map((name) => rm(join(outside.clones, name), { recursive: true, force: true })))
}

const prepareOne = async (
  options: PrepareOptions,
  known: WorkspaceState,
  repository: Repository,
): Promise<TrackedRepository> => {
  const { layout, welcome, emit, now } = options
  const name = repository.name ?? repositoryName(repository.url)
  const tracked = known.repositories.find((item) => item.name === name && item.url === repository.url)
  const there = await lstat(join(layout.outside.workspace, name)).then(
    () => true,
    () => false,
  )
  if (there && tracked !== undefined) return tracked
  // An agent may have worked here, though what was remembered is lost: its work counts more than a base to compare with.
  if (there && welcome.resumed) return { name, url: repository.url, branch: repository.branch ?? '' }
  // Cloned, but killed before it was remembered: nothing has worked on it yet.
  if (there) await rm(join(layout.outside.workspace, name), { recursive: true, force: true })
  const began = now()
  const step = (state: 'started' | 'done' | 'failed', more: { ms?: number; message?: string } = {}) =>
    emit({ type: 'start.step', data: { step: 'clone', item: name, state, ...more } })
  step('started')
  try {
    const cloned = await clone(options, repository, name)
    step('done', { ms: Math.round(now() - began) })
    return cloned
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    step('failed', { ms: Math.round(now() - began), message: message.slice(0, 4000) })
    throw error
  }

  async function clone(from: PrepareOptions, what: Repository, as: string) {
    const mirror = await updateMirror({
      directory: from.mirrorDirectory,
      project: welcome.project,
      url: what.url,
      name: as,
      source: sourceOf(from, what, as),
      surroundings: from.surroundings,
    })
    const { sandbox } = from
    const branch = sessionBranch(welcome.session)
    return cloneFromMirror({
      repository: what,
      name: as,
      mirror,
      sessionBranch: branch,
      owner: welcome.owner,
      layout,
      sandbox,
    })
  }
}

const sourceOf = ({ welcome, layout, sandbox }: PrepareOptions, { url }: Repository, name: string) =>
  url.startsWith('/') || url.startsWith('file://')
    ? localSource({ name, url, roots: welcome.repositoryRoots, sandbox, inside: layout.inside })
    : remoteSource(name, url)
