import type { Clock, EndReason, RunnerEnded, RunnerObservation, RunnerSpec } from '@berth/runtime'

export interface FakeRunnerOptions {
  clock: Clock
  onEnd: () => void
}

/** A runner that exists only by name. By default it runs until it is asked to end, and then exits with code 0. */
export class FakeRunner {
  readonly spec: RunnerSpec
  readonly #options: FakeRunnerOptions
  readonly #startedAt: number
  readonly #done = Promise.withResolvers<void>()
  #onTerm: () => void = () => this.end('exited', { exitCode: 0 })
  #ended: RunnerEnded | undefined

  constructor(spec: RunnerSpec, options: FakeRunnerOptions) {
    this.spec = spec
    this.#options = options
    this.#startedAt = options.clock.now()
  }

  get isRunning(): boolean {
    return this.#ended === undefined
  }

  /** What the runner does at SIGTERM, in place of exiting with code 0. */
  onTerm(handler: () => void): void {
    this.#onTerm = handler
  }

  /** Ends it; ignored when it has ended. */
  end(reason: EndReason, facts: Partial<Pick<RunnerEnded, 'exitCode' | 'signal' | 'message'>> = {}): void {
    if (this.#ended) return
    const { session, generation } = this.spec
    const message = `The runner ended: ${reason}.`
    const endedAt = this.#options.clock.now()
    this.#ended = { state: 'ended', session, generation, reason, message, ...facts, endedAt }
    this.#done.resolve()
    this.#options.onEnd()
  }

  observe(): RunnerObservation {
    const { session, generation } = this.spec
    return this.#ended ?? { state: 'running', session, generation, startedAt: this.#startedAt }
  }

  /** SIGTERM, and force after the grace time. Resolves when it has ended. */
  async stop(graceMs: number): Promise<void> {
    if (this.#ended) return
    if (graceMs > 0) this.#onTerm()
    this.hasten(graceMs)
    await this.#done.promise
  }

  /** Forces the end no later than `graceMs` from now; what a stop that waits for its turn can do already. */
  hasten(graceMs: number): void {
    if (this.#ended) return
    const { clock } = this.#options
    const kill = () => this.end('killed', { signal: 'SIGKILL' })
    if (graceMs > 0) {
      const timer = clock.setTimeout(kill, graceMs)
      this.#done.promise.then(() => clock.clearTimeout(timer))
    } else kill()
  }
}
