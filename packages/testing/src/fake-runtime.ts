import {
  type Clock,
  checkSessionId,
  type EndReason,
  type RunnerEnded,
  type RunnerObservation,
  type RunnerSpec,
  type Runtime,
  RuntimeError,
  SessionLock,
  type StartFailure,
  type StopOptions,
  systemClock,
} from '@berth/runtime'
import { FakeRunner } from './fake-runner.ts'

/** The runtime port in memory, with handles for tests. Passes the port's conformance suite. */
export interface FakeRuntime extends Runtime {
  readonly kind: 'fake'
  /** The spec of every start, in order; `remove` doesn't shorten it. */
  readonly starts: readonly RunnerSpec[]
  /** Calls `script` with every runner that starts, from inside `ensure`. Returns what ends that. */
  onEnsure(script: (runner: FakeRunner) => void): () => void
  /** Ends a running runner and hints at it. Throws when none runs: the test is wrong. */
  end(session: string, reason: EndReason, facts?: EndFacts): void
  /** The next start fails so; several calls queue up. Retryable by default. */
  failNextStart(reason: StartFailure, facts?: { message?: string; retryable?: boolean }): void
  /** Starts wait from now on, until the returned function is called. */
  hold(): () => void
  /** Tells the watchers to look, although nothing happened. */
  hint(session: string): void
  /** Another Runtime over the same runners, as after a restart of the backend. */
  reopen(): FakeRuntime
}

export type EndFacts = Partial<Pick<RunnerEnded, 'exitCode' | 'signal' | 'message'>>

/** `clock` gives the times of start and end and runs the grace of `stop`; default: the machine's. */
export const createFakeRuntime = ({ clock = systemClock }: { clock?: Clock } = {}): FakeRuntime =>
  new FakeRuntimeHandle({
    clock,
    lock: new SessionLock(),
    runners: new Map(),
    starts: [],
    scripts: new Set(),
    failures: [],
    gate: Promise.resolve(),
    listeners: new Set(),
  })

/** What outlives a backend: the handles over one world share it. */
interface World {
  clock: Clock
  lock: SessionLock
  runners: Map<string, FakeRunner>
  starts: RunnerSpec[]
  scripts: Set<(runner: FakeRunner) => void>
  failures: ((session: string) => RuntimeError)[]
  gate: Promise<void>
  listeners: Set<(session: string) => void>
}

class FakeRuntimeHandle implements FakeRuntime {
  readonly kind = 'fake'
  readonly #world: World
  readonly #own = new Set<(session: string) => void>()

  constructor(world: World) {
    this.#world = world
  }

  get starts(): readonly RunnerSpec[] {
    return this.#world.starts
  }

  async ensure(spec: RunnerSpec): Promise<void> {
    const { lock, runners } = this.#world
    await lock.run(checkSessionId(spec.session), async () => {
      const known = runners.get(spec.session)
      if (known?.spec.generation === spec.generation) return
      if (known && known.spec.generation > spec.generation) throw outdated(spec, known.spec)
      await this.#start(spec, known)
    })
  }

  async observe(session: string): Promise<RunnerObservation> {
    return this.#world.runners.get(checkSessionId(session))?.observe() ?? { state: 'absent', session }
  }

  async stop(session: string, { graceMs }: StopOptions): Promise<void> {
    const { lock, runners } = this.#world
    runners.get(checkSessionId(session))?.hasten(graceMs)
    await lock.run(session, async () => runners.get(session)?.stop(graceMs))
  }

  async list(): Promise<RunnerObservation[]> {
    return [...this.#world.runners.values()].map((runner) => runner.observe())
  }

  async remove(session: string): Promise<void> {
    const { lock, runners } = this.#world
    runners.get(checkSessionId(session))?.hasten(0)
    await lock.run(session, async () => {
      await runners.get(session)?.stop(0)
      runners.delete(session)
    })
  }

  async projects(): Promise<string[]> {
    return []
  }

  async removeProject(): Promise<void> {}

  watch(onHint: (session: string) => void): () => void {
    const listener = (session: string) => onHint(session)
    this.#world.listeners.add(listener)
    this.#own.add(listener)
    return () => {
      this.#world.listeners.delete(listener)
      this.#own.delete(listener)
    }
  }

  async close(): Promise<void> {
    for (const listener of this.#own) this.#world.listeners.delete(listener)
    this.#own.clear()
  }

  onEnsure(script: (runner: FakeRunner) => void): () => void {
    this.#world.scripts.add(script)
    return () => void this.#world.scripts.delete(script)
  }

  end(session: string, reason: EndReason, facts: EndFacts = {}): void {
    const runner = this.#world.runners.get(session)
    if (!runner?.isRunning) throw new Error(`fake runtime: no runner of ${session} runs, so none can end`)
    runner.end(reason, facts)
  }

  failNextStart(reason: StartFailure, facts: { message?: string; retryable?: boolean } = {}): void {
    const { message = `the fake runtime was told to fail: ${reason}`, retryable = true } = facts
    this.#world.failures.push(
      (session) =>
        new RuntimeError({
          reason,
          retryable,
          message: `Could not start the runner of ${session}: ${message}`,
        }),
    )
  }

  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#world.gate
    this.#world.gate = before.then(() => promise)
    return resolve
  }

  hint(session: string): void {
    for (const listener of this.#world.listeners) listener(session)
  }

  reopen(): FakeRuntime {
    return new FakeRuntimeHandle(this.#world)
  }

  async #start(spec: RunnerSpec, older: FakeRunner | undefined): Promise<void> {
    const { clock, runners, starts, scripts } = this.#world
    await this.#world.gate
    await older?.stop(0)
    const failure = this.#world.failures.shift()
    if (failure) throw failure(spec.session)
    const runner = new FakeRunner(spec, { clock, onEnd: () => this.hint(spec.session) })
    runners.set(spec.session, runner)
    starts.push(spec)
    for (const script of scripts) script(runner)
  }
}

const outdated = (spec: RunnerSpec, known: RunnerSpec): RuntimeError =>
  new RuntimeError({
    reason: 'forbidden',
    message: `Generation ${spec.generation} of ${spec.session} was not started: generation ${known.generation} has been started since.`,
    retryable: false,
  })
