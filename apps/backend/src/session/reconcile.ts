import { type FailReason, failReason, limitsOf, milliCpusOf, type SessionState } from '@berth/contract'
import { type Clock, isRuntimeError, type Runtime } from '@berth/runtime'
import type { Logger } from 'pino'
import { sha256 } from '../auth/sha256.ts'
import type { BlobStore } from '../blobs/port.ts'
import type { Store } from '../store/port.ts'
import type { Admission } from './admission/admission.ts'
import { backendActor } from './decide.ts'
import type { Lease, Leases } from './lease.ts'
import { runnerDeadlineMs } from './limit-times.ts'
import { backoffMs, plan, type Step, timing } from './plan.ts'
import type { SessionService } from './service.ts'

/** What a step came to: interpreted in one place, which also counts it. */
export type Outcome =
  | { kind: 'done' }
  | { kind: 'again'; inMs: number }
  | { kind: 'retry'; error: unknown }
  | { kind: 'given-up'; error: unknown }

export interface ReconcilerOptions {
  store: Store
  blobs: BlobStore
  runtime: Runtime
  service: SessionService
  clock: Clock
  log: Logger
  random: (bytes: number) => Uint8Array
  /** Says when there is room for a runner. */
  admission: Pick<Admission, 'ask' | 'wake'>
  /** Where runners find the backend. */
  backendUrl: () => string
  leases: Pick<Leases, 'run'>
  /** Since when this backend has watched without a gap; silence before it does not count. */
  watchingSince: () => number
  /** Counts outcomes. */
  count: (outcome: Outcome['kind'], step: Step['do']) => void
}

/** A session whose steps nobody else takes meanwhile. */
interface Held {
  session: string
  lease: Lease
}

/** Time until the next look at a session that another backend works on. */
const othersMs = 2000

/** Takes one step for a session: reads everything, compares, acts on the difference. */
export class Reconciler {
  readonly #options: ReconcilerOptions

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Never rejects: what went wrong is the outcome. */
  async reconcile(session: string): Promise<Outcome> {
    const { leases, log, count } = this.#options
    let step: Step['do'] = 'nothing'
    try {
      const outcome = await leases.run(`session:${session}`, async (lease) => {
        const planned = await this.#plan(session)
        step = planned.do
        return this.#take({ session, lease }, planned)
      })
      if (outcome === undefined) return { kind: 'again', inMs: othersMs }
      count(outcome.kind, step)
      return outcome
    } catch (error) {
      log.warn({ session, step, err: error }, 'A step failed and is tried again')
      count('retry', step)
      return { kind: 'retry', error }
    }
  }

  async #plan(session: string): Promise<Step> {
    const { store, runtime, clock, watchingSince } = this.#options
    const [state, generation, runner] = await Promise.all([
      store.state(session),
      store.generation(session),
      runtime.observe(session),
    ])
    if (state === undefined)
      return runner.state === 'running' ? { do: 'stop', graceMs: 0 } : { do: 'nothing' }
    const startedAt = Math.max(generation?.startedAt ?? 0, 0)
    const aliveAt = Math.max(generation?.heartbeatAt ?? 0, startedAt, watchingSince())
    const limits = limitsOf(await effective(this.#options, state))
    return plan({ state, runner, now: clock.now(), startedAt, aliveAt, limits })
  }

  async #take({ session, lease }: Held, step: Step): Promise<Outcome> {
    const { store, runtime, blobs, service, clock, admission } = this.#options
    switch (step.do) {
      case 'nothing':
        return step.againInMs === undefined ? { kind: 'done' } : { kind: 'again', inMs: step.againInMs }
      case 'launch':
        return this.#launch({ session, lease })
      case 'ensure':
        return this.#ensure(await service.state(session), lease)
      case 'stop':
        lease.check()
        await runtime.stop(session, { graceMs: step.graceMs })
        return { kind: 'again', inMs: 0 }
      case 'end':
        return this.#end({ session, lease }, step)
      case 'tell': {
        const { generation } = (await service.state(session)).summary
        await service.run({
          session,
          command: { kind: 'steps', actor: backendActor, generation, steps: step.steps },
        })
        return { kind: 'again', inMs: 0 }
      }
      case 'limits':
        await service.run({ session, command: { kind: 'limits', actor: backendActor, limits: step.limits } })
        return { kind: 'again', inMs: 0 }
      case 'enforce':
      case 'warn':
        await service.run({ session, command: { kind: step.do, actor: backendActor } })
        return { kind: 'again', inMs: 0 }
      case 'fail':
        await service.run({ session, command: { kind: 'fail', actor: backendActor, ...pick(step) } })
        admission.wake()
        return { kind: 'done' }
      case 'purge':
        // The row goes last: as long as it is there, a purge that was cut short is repeated.
        lease.check()
        await runtime.remove(session)
        lease.check()
        await blobs.removeAll(session)
        await store.purge(session, clock.now())
        return { kind: 'done' }
    }
  }

  /** A session that lost its runner has a place; others ask for one, and are launched in their turn. */
  async #launch({ session, lease }: Held): Promise<Outcome> {
    const { service, runtime, admission } = this.#options
    const state = await service.state(session)
    const { status } = state.summary
    if (status.phase !== 'pending' || status.reason !== 'backoff') {
      await admission.ask()
      return this.#again(session)
    }
    const token = this.#token()
    const values = await effective(this.#options, state)
    // Its place is the one that it had: no session gets past its project's quota by losing its runner.
    const keptMiB = values.quotaMemoryMiB === undefined ? undefined : state.memoryMiB
    const keptCpus = values.quotaCpus === undefined ? undefined : state.cpus
    const memoryMiB = Math.min(values.memoryMiB, keptMiB ?? Infinity)
    const cpus = Math.min(values.cpus, keptCpus ?? Infinity)
    const asked = { runtime: runtime.kind, limits: limitsOf(values), memoryMiB, cpus }
    const command = { kind: 'launch', actor: backendActor, ...asked } as const
    const { state: after, lines } = await service.run({ session, command, tokenHash: sha256(token) })
    return lines.length === 0 ? { kind: 'again', inMs: 0 } : this.#start(after, { token, lease })
  }

  /** Another backend may have admitted in our place, or not yet. */
  async #again(session: string): Promise<Outcome> {
    const status = (await this.#options.store.state(session))?.summary.status
    const isUntold = status?.phase === 'pending' && status.reason === 'queued'
    return { kind: 'again', inMs: isUntold ? othersMs : 0 }
  }

  /** The token of a generation is known to nobody any more: a new one replaces it. */
  async #ensure(state: SessionState, lease: Lease): Promise<Outcome> {
    const token = this.#token()
    await this.#options.store.setRunnerToken(state.summary.id, state.summary.generation, sha256(token))
    return this.#start(state, { token, lease })
  }

  async #start(state: SessionState, { token, lease }: { token: string; lease: Lease }): Promise<Outcome> {
    const { runtime, service, backendUrl, clock } = this.#options
    const { id: session, project, generation, restarts } = state.summary
    const { processes, image, ...values } = await effective(this.#options, state)
    // What it was given room for, whatever its settings say since.
    const { memoryMiB = values.memoryMiB, cpus = values.cpus } = state
    lease.check()
    try {
      const limits = { memoryBytes: memoryMiB * 1024 * 1024, processes, milliCpus: milliCpusOf(cpus) }
      const deadlineMs = runnerDeadlineMs(state, clock.now())
      const asked = { session, project, generation, backendUrl: backendUrl(), token, limits, image }
      await runtime.ensure({ ...asked, deadlineMs })
      return { kind: 'again', inMs: timing.silenceMs }
    } catch (error) {
      const cause = isRuntimeError(error) ? error : undefined
      const message = `The runner could not be started: ${error instanceof Error ? error.message : String(error)}`
      const retryAt = new Date(clock.now() + backoffMs(restarts + 1)).toISOString()
      const end = {
        kind: 'end',
        actor: backendActor,
        generation,
        reason: 'create-error',
        message,
        retryAt,
      } as const
      await service.run({ session, command: end })
      if (cause === undefined || cause.retryable) return { kind: 'retry', error }
      const reason = failReason.safeParse(cause.reason).data ?? ('spawn' satisfies FailReason)
      await service.run({ session, command: { kind: 'fail', actor: backendActor, reason, message } })
      return { kind: 'given-up', error }
    }
  }

  /** Fences the generation out first, so that nothing of it counts any more, then makes sure that it is gone. */
  async #end({ session, lease }: Held, step: Extract<Step, { do: 'end' }>): Promise<Outcome> {
    const { service, runtime } = this.#options
    const { kill, retryAt, do: _, ...end } = step
    const { generation } = (await service.state(session)).summary
    const at = retryAt === undefined ? undefined : new Date(retryAt).toISOString()
    await service.run({
      session,
      command: { kind: 'end', actor: backendActor, generation, ...end, retryAt: at },
    })
    this.#options.admission.wake()
    if (!kill) return { kind: 'again', inMs: 0 }
    lease.check()
    await runtime.stop(session, { graceMs: 0 })
    return { kind: 'again', inMs: 0 }
  }

  #token(): string {
    return `brt_${Buffer.from(this.#options.random(32)).toString('base64url')}`
  }
}

const pick = ({ reason, message }: Extract<Step, { do: 'fail' }>) => ({ reason, message })

const effective = async (
  { store, service }: Pick<ReconcilerOptions, 'store' | 'service'>,
  state: SessionState,
) => {
  const project = await store.projectSettings(state.summary.project)
  return service.settingsOf(project?.settings, state.settings).values
}
