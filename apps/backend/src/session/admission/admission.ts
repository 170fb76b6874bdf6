import { limitsOf } from '@berth/contract'
import type { Clock, TimerHandle } from '@berth/runtime'
import type { Logger } from 'pino'
import type { Occupancy, Store } from '../../store/port.ts'
import { backendActor } from '../decide.ts'
import type { Lease, Leases } from '../lease.ts'
import type { SessionService } from '../service.ts'
import { type Applicant, admit, type Verdict, type Waiting } from './admit.ts'
import type { Capacity } from './capacity.ts'
import { limitsOfProjects } from './project-limits.ts'
import { waitMessage } from './wait-message.ts'

export interface AdmissionOptions {
  store: Store
  service: SessionService
  capacity: Capacity
  /** What runs the runners. */
  runtime: string
  clock: Clock
  log: Logger
  leases: Pick<Leases, 'run'>
  /** Told when a session gets room, with the milliseconds that it waited. */
  admitted: (waitedMs: number) => void
  /** Milliseconds between two looks at the queue. Default 2,000. */
  intervalMs?: number
}

/** A round is short: for so long a backend that was killed in the middle of one holds up the others. */
const roundMs = 5000

/** Time until the next try when another backend admits. */
const othersMs = 250

/**
 * Decides who gets a runner. It works in rounds: each reads who lives and who waits, and admits as many as there is room for,
 * in fair order, under a lease: so several backends never admit more together than there is room for. A round is due
 * when a session asks, when a place becomes free, and from time to time, because agents may come to use less memory.
 */
export class Admission {
  readonly #options: AdmissionOptions
  #round: Promise<void> | undefined
  #next: Promise<void> | undefined
  #timer: TimerHandle | undefined
  #closed = false

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  start(): void {
    const { clock, intervalMs = 2000 } = this.#options
    const look = () => {
      if (this.#closed) return
      this.wake()
      this.#timer = clock.setTimeout(look, intervalMs)
    }
    this.#timer = clock.setTimeout(look, intervalMs)
  }

  /** There may be room for somebody. Cheap; may come too often, or for nothing. */
  wake(): void {
    const failed = (error: unknown) =>
      this.#options.log.warn({ err: error }, 'Sessions could not be admitted; the next round tries again')
    if (!this.#closed && this.#next === undefined) void this.ask().catch(failed)
  }

  /** Resolves after a round that began later than the call. Rejects as the store does. */
  ask(): Promise<void> {
    if (this.#round === undefined) return this.#begin()
    this.#next ??= this.#round
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#begin()
      })
    return this.#next
  }

  /** Who would be admitted and who waits, by what is stored now. */
  async view(): Promise<Verdict & { capacity: Capacity }> {
    const { store, capacity } = this.#options
    const occupancy = await store.occupancy()
    const names = [...occupancy.live, ...occupancy.waiting].map(({ project }) => project)
    return { ...(await this.#judge(occupancy, names)), capacity }
  }

  /** Begins no more rounds and waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    await this.#round?.catch(() => undefined)
  }

  #begin(): Promise<void> {
    this.#round = this.#admit().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #admit(): Promise<void> {
    const { store, clock, leases } = this.#options
    if (this.#closed || (await store.occupancy()).waiting.length === 0) return
    const round = async (lease: Lease) => {
      const occupancy = await store.occupancy()
      const names = occupancy.waiting.map(({ project }) => project)
      const { admitted, waiting } = await this.#judge(occupancy, names)
      lease.check()
      await Promise.all([
        ...admitted.map((applicant) => this.#launch(applicant)),
        ...waiting.map((applicant) => this.#tell(applicant)),
      ])
      return true
    }
    const done = await leases.run('admission', round, { ttlMs: roundMs })
    if (done === undefined && !this.#closed) clock.setTimeout(() => this.wake(), othersMs)
  }

  /** By the limits of these projects. */
  async #judge({ live, waiting }: Occupancy, names: readonly string[]): Promise<Verdict> {
    const { capacity } = this.#options
    const limits = await limitsOfProjects(this.#options, new Set(names))
    type Item = Occupancy['live' | 'waiting'][number]
    const sized = <T extends Item>(item: T) => {
      const { memoryMiB = 0, milliCpus = 0 } = limits.defaults.get(item.project) ?? {}
      const wanted = { memoryMiB: item.memoryMiB ?? memoryMiB, milliCpus: item.milliCpus ?? milliCpus }
      return { ...item, wanted }
    }
    return admit(live.map(sized), waiting.map(sized), { ...capacity, ...limits })
  }

  /** The reconciler finds a session that should have a runner and has none, and starts it. */
  async #launch({ session, since }: Applicant): Promise<void> {
    const { store, service, runtime, clock } = this.#options
    const state = await store.state(session)
    if (state === undefined) return
    const project = await store.projectSettings(state.summary.project)
    const { values } = service.settingsOf(project?.settings, state.settings)
    const { memoryMiB, cpus } = values
    const asked = { runtime, limits: limitsOf(values), memoryMiB, cpus }
    const command = { kind: 'launch', actor: backendActor, ...asked } as const
    const { lines } = await service.run({ session, command })
    if (lines.length > 0) this.#options.admitted(Math.max(0, clock.now() - since))
    service.wake(session)
  }

  /** Once: a session that has been told waits silently, and its place can be read at any time. */
  async #tell({ session, reason, position }: Waiting): Promise<void> {
    const { store, service } = this.#options
    const status = (await store.state(session))?.summary.status
    if (status?.phase !== 'pending' || status.reason === 'capacity') return
    const message = waitMessage(reason, this.#options.capacity)
    await service.run({ session, command: { kind: 'wait', actor: backendActor, reason, message, position } })
  }
}
