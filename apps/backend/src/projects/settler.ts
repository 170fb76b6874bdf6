import { isBerthError } from '@berth/contract'
import type { Clock, TimerHandle } from '@berth/runtime'
import type { Logger } from 'pino'
import { backendActor } from '../session/decide.ts'
import type { Leases } from '../session/lease.ts'
import { type DeletionParts, deleteProject } from './delete-project.ts'

export interface SettlerOptions extends Omit<DeletionParts, 'now'> {
  leases: Pick<Leases, 'run'>
  clock: Clock
  log: Logger
}

/** Time between two looks; while something is under way, and otherwise. */
const busyMs = 250
const idleMs = 5000
/** Sessions that are stopped together. */
const batch = 200

/** Brings projects where they are to be: those that are deleted go piece by piece, those that are archived come to rest. */
export class ProjectSettler {
  readonly #options: SettlerOptions
  #timer: TimerHandle | undefined
  #running: Promise<void> = Promise.resolve()
  #again = false
  #closed = false
  #busy = false

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** There may be something to do. Cheap; also starts the regular looks. */
  wake(): void {
    if (this.#closed) return
    if (this.#busy) {
      this.#again = true
      return
    }
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#busy = true
    this.#running = this.#look().finally(() => {
      this.#busy = false
    })
  }

  /** Begins no more looks and waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    await this.#running
  }

  async #look(): Promise<void> {
    const { log, clock } = this.#options
    this.#again = false
    let left = 0
    try {
      const places = await this.#options.store.unsettled()
      const settled = await Promise.all(places.map((place) => this.#settle(place)))
      left = settled.filter((isSettled) => !isSettled).length
    } catch (error) {
      log.warn({ err: error }, 'Projects could not be settled; the next look tries again')
    }
    if (this.#closed) return
    const wait = left > 0 || this.#again ? busyMs : idleMs
    this.#timer = clock.setTimeout(() => this.wake(), wait)
  }

  /** Goes on with one project; true: it is where it is to be. What fails in one holds up no other. */
  async #settle({ project, state }: { project: string; state: 'archived' | 'deleting' }): Promise<boolean> {
    const { leases, log, clock } = this.#options
    try {
      const settled = await leases.run(`project:${project}`, (lease) =>
        state === 'deleting'
          ? deleteProject({ ...this.#options, now: () => clock.now() }, { project, lease })
          : this.#rest(project),
      )
      if (settled !== true) return false
      log.info({ project, state }, 'A project is settled')
      return true
    } catch (error) {
      log.warn({ err: error, project, state }, 'A project could not be settled; the next look tries again')
      return false
    }
  }

  /** Stops what runs in an archived project, or waits for it to begin. */
  async #rest(project: string): Promise<boolean> {
    const { store, service } = this.#options
    const sessions = await store.sessionsOf(project, { after: '', limit: batch, running: true })
    const command = { kind: 'stop', actor: backendActor, reason: 'user' } as const
    await Promise.all(
      sessions.map((session) =>
        service.run({ session, command }).catch((error: unknown) => {
          if (!isBerthError(error)) throw error
        }),
      ),
    )
    return sessions.length === 0
  }
}
