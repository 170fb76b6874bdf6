import { opendir } from 'node:fs/promises'
import type { Sandbox } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import { readSavedTree, type SavedTree } from './saved-tree.ts'
import { type ShadowOptions, type ShadowResult, saveShadow, type TreeLimits } from './shadow.ts'
import type { TrackedRepository, WorkspaceState } from './state.ts'
import type { TreePlace } from './tree-place.ts'

/** Everything of a workspace at one moment, as commits in the trees' shadows. */
export interface SavedWorkspace {
  /** The session's repositories, the workspace itself, and those that the agent made inside; parents first. */
  trees: SavedTree[]
  /** Why the trees are not all of the workspace; a checkpoint can't be made of them then. */
  problem: string | undefined
  omitted: string[]
}

/** What the script printed about a repository of the session. */
export interface TrackedResult {
  repository: TrackedRepository
  result: ShadowResult
}

export interface SaveTreesOptions {
  state: WorkspaceState
  session: string
  ref: string
  /** Compare the session's repositories with their base and the turn before. */
  compare: boolean
  limits: TreeLimits
  layout: Layout
  sandbox: Sandbox
}

/** Trees that are saved at once. */
const parallel = 2
/** Repositories inside others: how many, and how deep. */
const nestedTrees = 32
const nestedDepth = 4

/** Saves every tree of the workspace. Never rejects: what can't be saved is told. */
export const saveTrees = async (
  options: SaveTreesOptions,
): Promise<{ saved: SavedWorkspace; tracked: TrackedResult[] }> => {
  const { state } = options
  const repositories = state.repositories.filter(({ url }) => url !== '')
  const whole = state.repositories.find(({ url }) => url === '')
  const names = repositories.map(({ name }) => name)
  const first: { tree: TreePlace; repository: TrackedRepository | undefined }[] = repositories.map(
    (repository) => ({ tree: { path: repository.name, without: [] }, repository }),
  )
  if (whole !== undefined || (await hasMore(options.layout, names)))
    first.unshift({ tree: { path: '', without: names }, repository: whole })
  const collect = new Collector(options)
  const tracked: TrackedResult[] = []
  await inParallel(first, async ({ tree, repository }) => {
    const compare =
      options.compare && repository !== undefined
        ? { base: repository.base, last: repository.shadow }
        : undefined
    const result = await collect.save(tree, compare)
    if (repository !== undefined) tracked.push({ repository, result })
  })
  await collect.saveNested(new Set(['', ...names]))
  return { saved: collect.result(), tracked }
}

/** Is there anything in the workspace beside these? */
const hasMore = async ({ outside }: Layout, names: readonly string[]): Promise<boolean> => {
  try {
    for await (const { name } of await opendir(outside.workspace)) if (!names.includes(name)) return true
    return false
  } catch {
    return true
  }
}

class Collector {
  readonly #options: SaveTreesOptions
  readonly #trees: SavedTree[] = []
  readonly #problems: string[] = []
  #left = 0

  constructor(options: SaveTreesOptions) {
    this.#options = options
  }

  async save(tree: TreePlace, compare?: ShadowOptions['compare']): Promise<ShadowResult> {
    const { session, ref, limits, layout, sandbox } = this.#options
    const result = await saveShadow({ tree, session, compare, ref, limits, layout, sandbox })
    const name = tree.path === '' ? 'the workspace' : tree.path
    if (result.ok) {
      const saved = readSavedTree(tree.path, result.sections)
      if (saved === undefined) this.#problems.push(`${name}: git’s output could not be read`)
      else this.#trees.push(saved)
    } else if (!result.gone) this.#problems.push(`${name}: ${result.problem}`)
    return result
  }

  /** The repositories that the agent made in those that are saved, and in these. */
  async saveNested(known: Set<string>): Promise<void> {
    let level = [...this.#trees]
    for (let depth = 0; depth < nestedDepth && level.length > 0; depth++) {
      const paths = level.flatMap(({ path, nested }) =>
        nested.map((name) => (path === '' ? name : `${path}/${name}`)),
      )
      const fresh = [...new Set(paths)].filter((path) => !known.has(path))
      const room = nestedTrees - (known.size - 1)
      this.#left += Math.max(0, fresh.length - room)
      const now = fresh.slice(0, Math.max(0, room))
      for (const path of now) known.add(path)
      const before = this.#trees.length
      await inParallel(now, async (path) => void (await this.save({ path, without: [] })))
      level = this.#trees.slice(before)
    }
    this.#left += level.reduce((sum, { nested }) => sum + nested.length, 0)
  }

  result(): SavedWorkspace {
    const { limits } = this.#options
    const trees = this.#trees.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    const sum = (of: (tree: SavedTree) => number) => trees.reduce((total, tree) => total + of(tree), 0)
    if (sum(({ files }) => files) > limits.files)
      this.#problems.push(
        'all trees together have more files than a checkpoint may have (setting checkpointFiles)',
      )
    if (sum(({ bytes }) => bytes) > limits.bytes)
      this.#problems.push('all trees together are larger than a checkpoint may be (setting checkpointMiB)')
    const omitted = trees.flatMap((tree) =>
      tree.omitted.map((what) => `${tree.path || 'workspace'}: ${what}`),
    )
    if (this.#left > 0)
      omitted.push(`${this.#left} repositories inside others, as they are too many or too deep`)
    const problem = this.#problems.length === 0 ? undefined : this.#problems.join('; ')
    return { trees, problem, omitted }
  }
}

/** Runs a task for each item, at most `parallel` at once. */
const inParallel = async <T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> => {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await task(item)
  }
  await Promise.all(Array.from({ length: Math.min(parallel, left.length) }, worker))
}
