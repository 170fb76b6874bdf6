import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CheckpointManifest,
  type CheckpointTree,
  type RunnerFactBody,
  type RunnerWelcome,
  repositoryName,
  sessionBranch,
} from '@berth/contract'
import type { Sandbox, SandboxMount } from '@berth/sandbox'
import { writeStored } from '../checkpoint/stored-state.ts'
import { writeDurably } from '../durable.ts'
import type { AgentHome } from '../home/agent-home.ts'
import type { Layout } from '../layout.ts'
import { isBelow } from '../workspace/saved-tree.ts'
import { openMemory, type TrackedRepository, type WorkspaceState } from '../workspace/state.ts'
import { emptyPlace, makeTree, moveAll, removeTrees } from '../workspace/trees.ts'
import { buildTree } from './build-tree.ts'
import { type BlobSource, fetchManifest } from './fetch-blob.ts'
import { RestoreError } from './restore-error.ts'
import { writeConversation } from './write-conversation.ts'

export interface RestoreSessionOptions {
  welcome: Pick<RunnerWelcome, 'session' | 'owner' | 'repositories' | 'checkpoint' | 'directory'>
  layout: Layout
  agentHome: Pick<AgentHome, 'clearConversation' | 'writeConversation'>
  sandbox: Sandbox
  source: BlobSource
  emit(body: RunnerFactBody): void
  now(): number
}

/**
 * Makes workspace and conversation from the session's checkpoint when this disk has nothing of it. They are built beside
 * their places; what is remembered of the workspace is written last, and as long as that is missing, everything is removed
 * and done again. Rejects with RestoreError.
 */
export const restoreSession = async (options: RestoreSessionOptions): Promise<void> => {
  const { welcome, layout, emit, now } = options
  const { checkpoint } = welcome
  if (checkpoint === undefined || !(await isEmptyDisk(layout))) return
  const began = now()
  const step = (state: 'started' | 'done' | 'failed', more: { ms?: number; message?: string } = {}) =>
    emit({
      type: 'start.step',
      data: { step: 'restore', item: `checkpoint ${checkpoint.number}`, state, ...more },
    })
  step('started')
  try {
    const manifest = await fetchManifest(options.source, checkpoint.manifest)
    await restore(options, manifest)
    const ms = Math.round(now() - began)
    step('done', { ms })
    const files = manifest.trees.reduce((sum, tree) => sum + tree.files, 0)
    emit({
      type: 'workspace.restored',
      data: { checkpoint: checkpoint.number, turn: checkpoint.turn, files, ms },
    })
  } catch (error) {
    const message = explain(checkpoint.number, error)
    step('failed', { ms: Math.round(now() - began), message })
    throw new RestoreError(message)
  }
}

const explain = (number: number, error: unknown): string => {
  const why = error instanceof Error ? error.message : String(error)
  const full = (error as NodeJS.ErrnoException).code === 'ENOSPC' || /No space left/.test(why)
  return (
    `The session can’t go on from checkpoint ${number}: ${full ? 'the disk is full' : why}. Nothing was changed. ` +
    `${full ? 'Free some space, then resume the session' : 'Resume the session to try again, or fork it from an earlier turn'}.`
  ).slice(0, 3900)
}

/** Where what is built is marked as such, so that a half-made workspace is not taken for an agent's work. */
const markerOf = ({ outside }: Layout): string => `${outside.state}.restoring`

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

/** Nothing is remembered, and nobody has worked here. */
const isEmptyDisk = async (layout: Layout): Promise<boolean> => {
  if (await isThere(layout.outside.state)) {
    await rm(markerOf(layout), { force: true })
    return false
  }
  if (await isThere(markerOf(layout))) return true
  return (await readdir(layout.outside.workspace)).length === 0
}

/** Where the workspace is built, among the clones. */
const stagedName = 'restored'

const restore = async (options: RestoreSessionOptions, manifest: CheckpointManifest): Promise<void> => {
  const { layout, welcome, agentHome, sandbox, source } = options
  const { outside, inside } = layout
  const staged = { outside: join(outside.clones, stagedName), inside: `${inside.clones}/${stagedName}` }
  await writeDurably(markerOf(layout), '')
  for (const place of ['clones', 'shadow'] as const) await emptyPlace(options, place)
  await makeTree(options, 'clones', stagedName)
  const mounts: SandboxMount[] = [
    { path: staged.outside, mode: 'rw', target: staged.inside },
    { path: outside.shadow, mode: 'rw', target: inside.shadow },
  ]
  const site = { mounts, root: staged.inside, cwd: staged.inside }
  const trees = treesFor(options, manifest)
  const names = trees.flatMap(({ url, path }) => (url === undefined ? [] : [path]))
  for (const tree of trees)
    await buildTree({
      tree,
      without: tree.path === '' ? names : [],
      site,
      owner: welcome.owner,
      source,
      layout,
      sandbox,
    })
  const directory = welcome.directory ?? ''
  await writeConversation({ manifest, directory, layout, agentHome, source })
  await emptyPlace(options, 'workspace')
  // The directory itself stays: others may have it mounted.
  await moveAll(staged.outside, outside.workspace)
  await removeTrees(options, 'clones', [stagedName])
  await rm(outside.checkpoint, { force: true })
  // A fork has blobs of its own from here on: its first checkpoint stands on its own.
  if (manifest.session === welcome.session) await writeStored(outside.checkpoint, { manifest })
  const memory = await openMemory(outside.state)
  await memory.update(() => stateOf(options, manifest, trees))
  await rm(markerOf(layout), { force: true })
}

/** The trees that the session still wants, parents first, with its own branch in the place of another session's. */
const treesFor = ({ welcome }: RestoreSessionOptions, manifest: CheckpointManifest): CheckpointTree[] => {
  const own = `refs/heads/${sessionBranch(welcome.session)}`
  const other = `refs/heads/${sessionBranch(manifest.session)}`
  const renamed = (ref: string) => (ref === other ? own : ref)
  const wanted = ({ url, path }: CheckpointTree) =>
    url === undefined ||
    welcome.repositories.some((item) => item.url === url && (item.name ?? repositoryName(item.url)) === path)
  const gone = manifest.trees.filter((tree) => !wanted(tree)).map(({ path }) => `${path}/`)
  return manifest.trees
    .filter((tree) => wanted(tree) && !gone.some((path) => `${tree.path}/`.startsWith(path)))
    .filter(({ path }) => path === '' || isBelow(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map((tree) => ({
      ...tree,
      head: tree.head === undefined ? undefined : renamed(tree.head),
      refs:
        tree.refs === undefined
          ? undefined
          : Object.fromEntries(Object.entries(tree.refs).map(([ref, commit]) => [renamed(ref), commit])),
    }))
}

const stateOf = (
  { welcome }: RestoreSessionOptions,
  manifest: CheckpointManifest,
  trees: readonly CheckpointTree[],
): WorkspaceState => {
  const repositories = trees.flatMap(({ path, url, branch = '', base, shadow }): TrackedRepository[] => {
    if (url === undefined) return []
    const since = welcome.repositories.find((item) => (item.name ?? repositoryName(item.url)) === path)?.since
    return [{ name: path, url, branch, base, shadow, since }]
  })
  const whole = trees.find(({ path }) => path === '')
  const own =
    repositories.length > 0 || whole === undefined
      ? []
      : [{ name: 'workspace', url: '', branch: '', shadow: whole.shadow }]
  return {
    version: 1,
    turns: manifest.number,
    repositories: [...repositories, ...own],
    directory: welcome.directory,
  }
}
