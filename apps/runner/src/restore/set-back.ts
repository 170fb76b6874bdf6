import { readFile, rm } from 'node:fs/promises'
import type { Actor, CheckpointManifest, CheckpointRef, CheckpointTree } from '@berth/contract'
import { runBoxed } from '@berth/git'
import type { Sandbox } from '@berth/sandbox'
import { z } from 'zod'
import { writeDurably } from '../durable.ts'
import type { Layout } from '../layout.ts'
import type { SavedWorkspace } from '../workspace/save-trees.ts'
import type { SavedTree } from '../workspace/saved-tree.ts'
import { type TreeLimits, workspaceMounts } from '../workspace/shadow.ts'
import { placesOf } from '../workspace/tree-place.ts'
import type { Workspace } from '../workspace/workspace.ts'
import {
  asideName,
  clearAsideScript,
  hasFilesScript,
  moveAsideScript,
  moveBackScript,
  putInPlaceScript,
  removeTreeScript,
  setBackScript,
} from './build-script.ts'
import { type BuildOptions, buildTree, readPacks, run } from './build-tree.ts'
import { type BlobSource, fetchManifest } from './fetch-blob.ts'
import { RestoreError } from './restore-error.ts'

export interface SetBackOptions {
  workspace: Pick<Workspace, 'state' | 'update'>
  /** Saves every tree; nothing else does meanwhile. */
  save(): Promise<SavedWorkspace>
  owner: Actor
  limits: TreeLimits
  layout: Layout
  sandbox: Sandbox
  source: BlobSource
}

/** The files as they were before: what a restore that fails goes back to, also after a kill. */
const journal = z.object({
  checkpoint: z.number(),
  before: z.array(z.object({ path: z.string(), shadow: z.string(), emptyDirectories: z.array(z.string()) })),
})

type Target = Pick<CheckpointTree, 'path' | 'shadow' | 'emptyDirectories'>

const journalOf = ({ outside }: Layout): string => `${outside.state}.set-back`

/**
 * Makes the files of the workspace those of a checkpoint. Everything that it needs is there before the first file changes;
 * when it fails then, the files are set back to what they were. A kill in the middle is for the next start to repeat: the
 * log says until then that a restore is wanted, and no turn starts.
 */
export const setBackFiles = async (
  options: SetBackOptions,
  checkpoint: CheckpointRef,
): Promise<{ files: number }> => {
  const { layout, source } = options
  const manifest = await fetchManifest(source, checkpoint.manifest)
  // What an attempt that was killed had set aside is not of the workspace any more.
  await run(stepOf(options, nothing), { script: clearAsideScript, args: [layout.inside.workspace] })
  const known = await readJournal(layout, checkpoint.number)
  const now = await options.save()
  if (now.problem !== undefined) throw new RestoreError(now.problem)
  const before = known ?? now.trees.map(targetOf)
  const plan = planOf(options, manifest, now.trees)
  for (const tree of plan.change) await prepare(options, tree)
  await writeDurably(journalOf(layout), JSON.stringify({ checkpoint: checkpoint.number, before }))
  try {
    await apply(options, plan)
  } catch (error) {
    await undo(options, plan, before)
    await rm(journalOf(layout), { force: true })
    throw error
  }
  await rememberShadows(options, manifest)
  await rm(journalOf(layout), { force: true })
  return { files: manifest.trees.reduce((sum, tree) => sum + tree.files, 0) }
}

const targetOf = ({ path, commit, emptyDirectories }: SavedTree): Target => ({
  path,
  shadow: commit,
  emptyDirectories,
})

const readJournal = async (layout: Layout, checkpoint: number) => {
  try {
    const found = journal.parse(JSON.parse(await readFile(journalOf(layout), 'utf8')))
    return found.checkpoint === checkpoint ? found.before : undefined
  } catch {
    return undefined
  }
}

interface Plan {
  /** Trees that are there and get other files, parents first. */
  change: CheckpointTree[]
  /** Trees that are gone. */
  rebuild: CheckpointTree[]
  /** Repositories that the agent has made since. */
  remove: string[]
}

/**
 * Which repositories a session has is not the files' matter: one that was added or removed since stays so. What the agent
 * made inside goes and comes with the files.
 */
const planOf = (
  { workspace }: SetBackOptions,
  manifest: CheckpointManifest,
  now: readonly SavedTree[],
): Plan => {
  const names = workspace.state.repositories.filter(({ url }) => url !== '').map(({ name }) => name)
  const gone = manifest.trees.filter(({ url, path }) => url !== undefined && !names.includes(path))
  const isGone = (path: string) => gone.some((tree) => `${path}/`.startsWith(`${tree.path}/`))
  const target = manifest.trees
    .filter(({ path }) => !isGone(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const there = new Set(now.map(({ path }) => path))
  const wanted = new Set(target.map(({ path }) => path))
  const added = names.filter((name) => !wanted.has(name))
  const isAdded = (path: string) => added.some((name) => `${path}/`.startsWith(`${name}/`))
  const extra = [...there].filter((path) => path !== '' && !wanted.has(path) && !isAdded(path))
  return {
    change: [
      ...target.filter(({ path }) => there.has(path)),
      // Loose files that came since, where there were none.
      ...(there.has('') && !wanted.has('') ? now.filter(({ path }) => path === '').map(emptied) : []),
    ],
    rebuild: target.filter(({ path }) => !there.has(path) && path !== ''),
    remove: extra,
  }
}

/** git's name of the tree without files. */
const emptyTree = (format: number) =>
  format === 64
    ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
    : '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

const emptied = ({ path, commit }: SavedTree): CheckpointTree => ({
  path,
  shadow: emptyTree(commit.length),
  packs: [],
  emptyDirectories: [],
  files: 0,
  bytes: 0,
})

const siteOf = ({ layout }: SetBackOptions) => ({
  mounts: workspaceMounts(layout),
  root: layout.inside.workspace,
  cwd: layout.inside.workspace,
})

const withoutIn = ({ workspace }: SetBackOptions, path: string): string[] =>
  path === ''
    ? [asideName, ...workspace.state.repositories.filter(({ url }) => url !== '').map(({ name }) => name)]
    : []

const stepOf = (options: SetBackOptions, tree: CheckpointTree): BuildOptions => {
  const { layout, sandbox, source, owner } = options
  return {
    tree,
    site: siteOf(options),
    without: withoutIn(options, tree.path),
    layout,
    sandbox,
    source,
    owner,
  }
}

/** Fetches what the tree's shadow doesn't have. */
const prepare = async (options: SetBackOptions, tree: CheckpointTree): Promise<void> => {
  if (tree.packs.length === 0) return
  const { layout, sandbox } = options
  const { work, shadow } = placesOf(layout, tree.path)
  const { stdout } = await runBoxed(sandbox, {
    ...{ mounts: workspaceMounts(layout), cwd: layout.inside.workspace, temporary: layout.inside.temporary },
    script: hasFilesScript,
    args: [work, shadow, tree.shadow, ...withoutIn(options, tree.path)],
    timeoutMs: 600_000,
    outputLimit: 1024,
  })
  if (stdout.toString('utf8').trim() !== 'yes') await readPacks(stepOf(options, tree), shadow)
}

const apply = async (options: SetBackOptions, { change, rebuild, remove }: Plan): Promise<void> => {
  const root = options.layout.inside.workspace
  const stdin = remove.map((path) => `${path}\0`).join('')
  await run(stepOf(options, nothing), { script: moveAsideScript, args: [root], stdin })
  for (const tree of change) await setBack(options, tree)
  for (const tree of rebuild) {
    const step = stepOf(options, tree)
    await buildTree({ ...step, site: { ...step.site, root: `${root}/${asideName}/built` } })
    await run(step, { script: putInPlaceScript, args: [root, tree.path] })
  }
  await run(stepOf(options, nothing), { script: clearAsideScript, args: [root] })
}

/** Everything as it was. Rejects when that fails too: then the restore is still wanted, and the next start repeats it. */
const undo = async (
  options: SetBackOptions,
  { change, rebuild }: Plan,
  before: readonly Target[],
): Promise<void> => {
  const root = options.layout.inside.workspace
  for (const tree of rebuild)
    await run(stepOf(options, tree), { script: removeTreeScript, args: [root, tree.path] })
  for (const tree of before) if (change.some(({ path }) => path === tree.path)) await setBack(options, tree)
  await run(stepOf(options, nothing), { script: moveBackScript, args: [root] })
  await run(stepOf(options, nothing), { script: clearAsideScript, args: [root] })
}

const nothing: CheckpointTree = { path: '', shadow: '', packs: [], emptyDirectories: [], files: 0, bytes: 0 }

const setBack = async (options: SetBackOptions, target: Target): Promise<void> => {
  const { layout, limits } = options
  const { work, shadow } = placesOf(layout, target.path)
  const tree: CheckpointTree = { packs: [], files: 0, bytes: 0, ...target }
  const sizes = [String(limits.files), String(limits.bytes)]
  const args = [work, shadow, target.shadow, ...sizes, ...withoutIn(options, target.path)]
  const stdin = target.emptyDirectories.map((path) => `${path}\0`).join('')
  await run(stepOf(options, tree), { script: setBackScript, args, stdin })
}

/** The next turn is compared with the files as they are now. */
const rememberShadows = async (
  { workspace }: SetBackOptions,
  manifest: CheckpointManifest,
): Promise<void> => {
  const shadows = new Map(manifest.trees.map(({ path, shadow }) => [path, shadow]))
  await workspace.update((state) => ({
    ...state,
    repositories: state.repositories.map((item) => ({
      ...item,
      shadow: shadows.get(item.url === '' ? '' : item.name) ?? item.shadow,
    })),
  }))
}
