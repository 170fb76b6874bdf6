import type { RepositorySnapshot } from '@berth/contract'
import type { Sandbox } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import type { Emitter } from '../outbox/emitter.ts'
import { type SavedWorkspace, saveTrees, type TrackedResult } from './save-trees.ts'
import type { TreeLimits } from './shadow.ts'
import { type BuiltSnapshot, buildSnapshot, type SaveBytes } from './snapshot.ts'
import type { WorkspaceMemory, WorkspaceState } from './state.ts'

/** The files of a session, as far as the runner saves and compares them. One thing is done at a time. */
export interface Workspace {
  /** Saves every tree after a turn and emits what changed. Never rejects: what can't be saved becomes a notice. */
  save(turn: string): Promise<SavedWorkspace>
  /** Saves every tree between turns or in the middle of one, and tells nobody. Never rejects. */
  saveQuietly(): Promise<SavedWorkspace>
  /** Does something with the workspace while nothing else does; `save` saves every tree and tells nobody. */
  exclusively<T>(task: (save: () => Promise<SavedWorkspace>) => Promise<T>): Promise<T>
  /** What the runner remembers of it. */
  readonly state: WorkspaceState
  /** Changes what is remembered. */
  readonly update: WorkspaceMemory['update']
}

export interface WorkspaceOptions {
  memory: WorkspaceMemory
  session: string
  layout: Layout
  sandbox: Sandbox
  emitter: Pick<Emitter, 'emit'>
  saveBlob: SaveBytes
  limits: TreeLimits
}

export const createWorkspace = (options: WorkspaceOptions): Workspace => {
  const { memory } = options
  let last: Promise<unknown> = Promise.resolve()
  const notice = (message: string) =>
    options.emitter.emit({
      type: 'runner.notice',
      data: { level: 'warning', message: message.slice(0, 4000) },
    })
  const quietly = async () => (await trees('refs/berth/now', false)).saved
  const exclusively = <T>(task: (save: () => Promise<SavedWorkspace>) => Promise<T>): Promise<T> => {
    const mine = last.then(() => task(quietly))
    last = mine.catch(() => undefined)
    return mine
  }
  const trees = (ref: string, compare: boolean) => {
    const { session, limits, layout, sandbox } = options
    return saveTrees({ state: memory.current, session, ref, compare, limits, layout, sandbox })
  }
  const build = async ({ repository, result }: TrackedResult): Promise<BuiltSnapshot | undefined> => {
    try {
      if (result.ok) return await buildSnapshot(repository, result.sections, options.saveBlob)
      notice(`The files of ${repository.name} could not be saved after this turn: ${result.problem}.`)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      notice(`The changes in ${repository.name} could not be read after this turn: ${why.slice(0, 500)}`)
    }
    return undefined
  }
  const remember = async (next: WorkspaceState) => {
    await memory
      .update(() => next)
      .catch((error: Error) => notice(`What was saved could not be noted on disk: ${error.message}`))
  }
  const saveTurn = async (turn: string): Promise<SavedWorkspace> => {
    const turns = memory.current.turns + 1
    const { saved, tracked } = await trees(`refs/berth/turn/${turns}`, true)
    const built = (await Promise.all(tracked.map(build))).filter((item) => item !== undefined)
    const snapshots = built.map(({ snapshot }) => snapshot)
    const state = memory.current
    await remember({ ...state, turns, repositories: withShadows(state, snapshots) })
    if (snapshots.length > 0)
      options.emitter.emit(
        { type: 'workspace.snapshot', data: { turn, repositories: inOrder(state, snapshots) } },
        built.flatMap(({ blobs }) => blobs),
      )
    return saved
  }
  return {
    save: (turn) => exclusively(() => saveTurn(turn)),
    saveQuietly: () => exclusively(quietly),
    exclusively,
    get state() {
      return memory.current
    },
    update: memory.update,
  }
}

const withShadows = ({ repositories }: WorkspaceState, snapshots: readonly RepositorySnapshot[]) => {
  const commits = new Map(snapshots.map(({ name, commit }) => [name, commit]))
  return repositories.map((item) => ({ ...item, shadow: commits.get(item.name) ?? item.shadow }))
}

const inOrder = ({ repositories }: WorkspaceState, snapshots: readonly RepositorySnapshot[]) =>
  repositories.flatMap(({ name }) => snapshots.find((snapshot) => snapshot.name === name) ?? [])
