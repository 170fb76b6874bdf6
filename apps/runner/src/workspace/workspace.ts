import type { RepositorySnapshot } from '@berth/contract'
import type { Sandbox } from '@berth/sandbox'
import type { Layout } from '../layout.ts'
import type { Emitter } from '../outbox/emitter.ts'
import { saveShadow } from './shadow.ts'
import { buildSnapshot, type SaveBytes } from './snapshot.ts'
import { type WorkspaceState, writeState } from './state.ts'

/** The repositories of a session, as far as the runner saves and compares them. */
export interface Workspace {
  /** Saves every repository and emits what changed. Never rejects: what can't be saved becomes a notice. */
  save(turn: string): Promise<void>
}

export interface WorkspaceOptions {
  state: WorkspaceState
  session: string
  layout: Layout
  sandbox: Sandbox
  emitter: Pick<Emitter, 'emit'>
  saveBlob: SaveBytes
}

/** How many repositories are saved at once. */
const parallel = 2

export const createWorkspace = (options: WorkspaceOptions): Workspace => {
  let state = options.state
  const notice = (message: string) =>
    options.emitter.emit({
      type: 'runner.notice',
      data: { level: 'warning', message: message.slice(0, 4000) },
    })

  const saveOne = async (index: number, turn: number) => {
    const repository = state.repositories[index]
    if (repository === undefined) return undefined
    try {
      const { session, layout, sandbox } = options
      const result = await saveShadow({ repository, session, turn, layout, sandbox })
      if (result.ok) return await buildSnapshot(repository, result.sections, options.saveBlob)
      notice(`The files of ${repository.name} could not be saved after this turn: ${result.problem}.`)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      notice(`The changes in ${repository.name} could not be read after this turn: ${why.slice(0, 500)}`)
    }
    return undefined
  }
  const remember = async (snapshots: readonly RepositorySnapshot[], turns: number) => {
    const commits = new Map(snapshots.map(({ name, commit }) => [name, commit]))
    const repositories = state.repositories.map((item) => ({
      ...item,
      shadow: commits.get(item.name) ?? item.shadow,
    }))
    state = { ...state, turns, repositories }
    await writeState(options.layout.outside.state, state).catch((error: Error) =>
      notice(`What was saved could not be noted on disk: ${error.message}`),
    )
  }
  return {
    async save(turn) {
      const number = state.turns + 1
      const built = await inParallel(state.repositories.length, parallel, (index) => saveOne(index, number))
      const done = built.filter((item) => item !== undefined)
      await remember(
        done.map(({ snapshot }) => snapshot),
        number,
      )
      if (done.length === 0) return
      const repositories = done.map(({ snapshot }) => snapshot)
      options.emitter.emit(
        { type: 'workspace.snapshot', data: { turn, repositories } },
        done.flatMap(({ blobs }) => blobs),
      )
    },
  }
}

/** Runs a task for 0 … count-1, at most `width` at once; results in order. */
const inParallel = async <T>(
  count: number,
  width: number,
  task: (index: number) => Promise<T>,
): Promise<T[]> => {
  const results: T[] = []
  let next = 0
  const worker = async () => {
    for (let index = next++; index < count; index = next++) results[index] = await task(index)
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, worker))
  return results
}
