import {
  type RunnerFactBody,
  type RunnerWelcome,
  repositoryName,
  sessionBranch,
  type WantedRepository,
} from '@berth/contract'
import { CloneError } from '../git/explain.ts'
import { cloneRepository } from './clone-repository.ts'
import type { CloningOptions } from './mirror-of.ts'
import { deleteTaken, discardClone, makeDirectory, placeClone, takeAway, trackedIn } from './place.ts'
import type { TrackedRepository, WorkspaceMemory } from './state.ts'

export interface RepositoriesOptions extends CloningOptions {
  welcome: CloningOptions['welcome'] & Pick<RunnerWelcome, 'repositories'>
  memory: WorkspaceMemory
  emit(body: RunnerFactBody): void
  now(): number
}

/** What changing the repositories of a live session needs of its turns and its agent. */
export interface LiveParts {
  /** A turn runs: nothing may be taken away. */
  working(): boolean
  /** Does something with the workspace while nothing else does. */
  exclusively<T>(task: () => Promise<T>): Promise<T>
  /** The directory in which the agent works was made anew: it has to start again there. */
  restartAgent(): void
  problem(error: unknown): void
}

/** The repositories of a session. Changes of one are made in order, those of different ones beside each other. */
export interface Repositories {
  readonly wanted: ReadonlyMap<string, WantedRepository>
  /** Why a repository that should be there isn't, by name. */
  readonly failures: ReadonlyMap<string, string>
  /** Names of those that are being cloned. */
  readonly cloning: readonly string[]
  /** Clones a wanted one into the workspace. Throws a CloneError, which has been told. */
  clone(repository: WantedRepository): Promise<TrackedRepository>
  /** From here on, the log can ask for changes. */
  goLive(parts: LiveParts): void
  add(repository: WantedRepository): void
  remove(name: string): void
  retry(name: string): void
  /** Does the removals that waited for the end of a turn. Never rejects. */
  betweenTurns(): Promise<void>
  /** Waits for removals that are under way, and for clones as long as there is patience. Never rejects. */
  settled(patience: Promise<unknown>): Promise<void>
}

type StateData = Extract<RunnerFactBody, { type: 'repository.state' }>['data']

export const nameOf = ({ name, url }: WantedRepository): string => name ?? repositoryName(url)

export const createRepositories = (options: RepositoriesOptions): Repositories => {
  const { memory, layout, welcome, emit } = options
  const wanted = new Map(welcome.repositories.map((item) => [nameOf(item), item]))
  const failures = new Map<string, string>()
  const cloning = new Map<string, Promise<unknown>>()
  const removals = new Set<Promise<void>>()
  const inOrder = chains()
  let live: LiveParts | undefined
  let turnEnd = Promise.withResolvers<void>()
  let restart = false

  const tell = teller(emit)
  const restartAgent = () => {
    if (restart) live?.restartAgent()
    restart = false
  }
  const clone = cloner(options, {
    wanted,
    failures,
    isLive: () => live !== undefined,
    placed(name) {
      // It replaced the empty directory in which the agent was.
      restart ||= live !== undefined && memory.current.directory === name
      if (live?.working() === false) restartAgent()
    },
  })
  const begin = (repository: WantedRepository) => {
    const name = nameOf(repository)
    const task = inOrder(name, async () => {
      if (wanted.get(name) === repository) await clone(repository)
    })
    const done = task
      .catch(() => undefined)
      .finally(() => {
        if (cloning.get(name) === done) cloning.delete(name)
      })
    cloning.set(name, done)
  }
  const exclusively: LiveParts['exclusively'] = (task) => live?.exclusively(task) ?? task()
  const take = async (name: string) => {
    if (!trackedIn(memory).some((item) => item.name === name)) return
    const moved = await takeAway(memory, options, name)
    if (memory.current.directory === name) {
      await makeDirectory(layout, name)
      restart = true
      restartAgent()
    }
    tell(name, 'removed')
    if (moved) void deleteTaken(options, moved).catch((error) => live?.problem(error))
  }
  return {
    wanted,
    failures,
    get cloning() {
      return [...cloning.keys()]
    },
    clone,
    goLive(parts) {
      live = parts
    },
    add(repository) {
      wanted.set(nameOf(repository), repository)
      begin(repository)
    },
    remove(name) {
      wanted.delete(name)
      failures.delete(name)
      // One that is still being cloned finds at its end that nobody wants it.
      if (!trackedIn(memory).some((item) => item.name === name)) return
      const turn = live?.working() ? turnEnd.promise : undefined
      const removal: Promise<void> = inOrder(name, () =>
        (turn ?? Promise.resolve()).then(() => exclusively(() => take(name))),
      )
        .catch((error) => live?.problem(error))
        .finally(() => removals.delete(removal))
      removals.add(removal)
    },
    retry(name) {
      const repository = wanted.get(name)
      if (repository !== undefined && failures.has(name)) begin(repository)
    },
    async betweenTurns() {
      turnEnd.resolve()
      turnEnd = Promise.withResolvers()
      await Promise.all(removals)
      restartAgent()
    },
    async settled(patience) {
      await Promise.all(removals)
      await Promise.race([patience, Promise.all(cloning.values())])
    },
  }
}

const teller =
  (emit: RepositoriesOptions['emit']) =>
  (name: string, state: StateData['state'], more: Partial<StateData> = {}): void =>
    emit({ type: 'repository.state', data: { name, state, ...more } })

interface Cloning extends Pick<Repositories, 'wanted'> {
  failures: Map<string, string>
  /** The start is over, which tells what is ready by itself. */
  isLive(): boolean
  placed(name: string): void
}

/** Clones a repository into the workspace and tells how that goes. */
const cloner = (options: RepositoriesOptions, { wanted, failures, isLive, placed }: Cloning) => {
  const { memory, welcome, emit, now } = options
  const tell = teller(emit)
  const make = async (repository: WantedRepository, name: string) => {
    const made = await cloneRepository(options, repository, name)
    if (wanted.get(name) !== repository) {
      await discardClone(options, made)
      throw new CloneError(`The repository ${name} was removed while it was cloned.`)
    }
    await placeClone(memory, options, made)
    placed(name)
    return made.tracked
  }
  return async (repository: WantedRepository): Promise<TrackedRepository> => {
    const name = nameOf(repository)
    const began = now()
    const ms = () => Math.round(now() - began)
    failures.delete(name)
    tell(name, 'cloning')
    try {
      const tracked = await make(repository, name)
      const { url, branch, base } = tracked
      const branchOfSession = sessionBranch(welcome.session)
      if (tracked.remark !== undefined) {
        const message = `${name}: ${tracked.remark}`
        emit({ type: 'runner.notice', data: { level: 'info', message } })
      }
      if (isLive()) tell(name, 'ready', { url, branch, base, ms: ms(), sessionBranch: branchOfSession })
      return tracked
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).slice(0, 4000)
      if (wanted.get(name) === repository) {
        failures.set(name, message)
        tell(name, 'failed', { message, ms: ms() })
      }
      throw error
    }
  }
}

/** Runs tasks of one name one after the other. */
const chains = () => {
  const last = new Map<string, Promise<unknown>>()
  return <T>(name: string, task: () => Promise<T>): Promise<T> => {
    const done = (last.get(name) ?? Promise.resolve()).then(task)
    last.set(
      name,
      done.catch(() => undefined),
    )
    return done
  }
}
