import {
  type Clock,
  checkSessionId,
  type DiagnoseOptions,
  type RunnerObservation,
  type RunnerSpec,
  type Runtime,
  type RuntimeDiagnosis,
  SessionLock,
  type StopOptions,
  systemClock,
} from '@berth/runtime'
import { Changes } from './actions/changes.ts'
import { EndSessions } from './actions/end-session.ts'
import type { Parts } from './actions/parts.ts'
import { whyPodless } from './actions/podless.ts'
import { ProjectHomes } from './actions/project-home.ts'
import { startGeneration } from './actions/start-generation.ts'
import { ClusterAccess } from './api/cluster-access.ts'
import { type ApiParts, KubernetesApi } from './api/kubernetes-api.ts'
import { toRuntimeError } from './api/runtime-errors.ts'
import { diagnose } from './diagnose/diagnose.ts'
import { type Logger, silent } from './logger.ts'
import { checkProject } from './names.ts'
import type { JobFacts, RecordedEnd } from './observe/facts.ts'
import { Tracker } from './observe/tracker.ts'
import { compileOptions } from './options/read-options.ts'
import type { KubernetesOptions } from './options/schema.ts'
import { type Commands, defaultCommands } from './specs/containers.ts'
import { ClusterView } from './watch/cluster-view.ts'

export interface KubernetesRuntimeParts {
  options: KubernetesOptions
  /** Text of a kubeconfig. Default: that of KUBECONFIG, the user's, or the service account of the pod. */
  kubeconfig?: string
  /** Default: the programs of Berth's image. */
  commands?: Partial<Commands>
  /** Default: nothing is told. */
  log?: Logger
  /** Default: the machine's clock. */
  clock?: Clock
  /** Hears of every request to the API server. */
  onRequest?: ApiParts['onRequest']
}

/**
 * Runners as Jobs, one for each generation, whose pods hold the agent in a container of its own. What is known stands in the
 * cluster: any number of backends may work on it, and the next one finds all of it. Throws for bad options.
 */
export const createKubernetesRuntime = (parts: KubernetesRuntimeParts): Runtime =>
  new KubernetesRuntime(parts)

/** What is there of a session without being a runner: it counts as something that was not removed. */
const leftover = (session: string, [job]: JobFacts[]): RunnerObservation => ({
  state: 'ended',
  session,
  generation: job?.generation ?? 1,
  reason: 'lost',
  message: 'Only the remains of a start or of a deletion are left.',
  endedAt: job?.createdAt ?? 0,
})

/** Time after which it is tried again to write an end down, or to learn why a Job has no pod. */
const retryMs = 5000

class KubernetesRuntime implements Runtime {
  readonly kind = 'kubernetes'
  readonly #access: ClusterAccess
  readonly #parts: Parts
  readonly #homes: ProjectHomes
  readonly #endings: EndSessions
  readonly #lock = new SessionLock()
  readonly #listeners = new Set<(session: string) => void>()
  /** The newest generation that was asked for here and isn't seen yet: no older one is the answer. */
  readonly #floors = new Map<string, number>()
  readonly #settling = new Set<string>()
  #closed = false

  constructor(given: KubernetesRuntimeParts) {
    const { clock = systemClock, log = silent, onRequest } = given
    const options = compileOptions(given.options)
    this.#access = ClusterAccess.load(given.kubeconfig)
    const api = new KubernetesApi({ access: this.#access, options: options.api, clock, onRequest })
    const changes = new Changes(clock)
    const view = new ClusterView({ api, options, clock, log, onChange: (session) => tracker.touch(session) })
    const tracker = new Tracker({
      jobs: (session) => view.jobs.of(session),
      pods: (session) => view.pods.of(session),
      patience: options.patience,
      clock,
      onChange: (session) => this.#hint(session),
      onEnd: (job, end) => void this.#settle(job, end),
      onPodless: (job) => void this.#blame(job),
    })
    const commands = { ...defaultCommands, ...given.commands }
    this.#parts = { api, options, commands, view, tracker, changes, clock, log }
    this.#homes = new ProjectHomes(this.#parts)
    this.#endings = new EndSessions(this.#parts)
    view.start()
  }

  ensure(spec: RunnerSpec): Promise<void> {
    return this.#exclusive(spec.session, 'start', async () => {
      const { view } = this.#parts
      if (!view.alive) await view.look(spec.session)
      await startGeneration(this.#parts, { homes: this.#homes, endings: this.#endings }, spec)
      this.#floors.set(spec.session, spec.generation)
    })
  }

  async observe(session: string): Promise<RunnerObservation> {
    checkSessionId(session)
    const { view, tracker } = this.#parts
    const seen = view.alive ? tracker.look(session) : undefined
    if (seen !== undefined && this.#isNew(seen)) return seen
    try {
      await view.look(session)
    } catch (error) {
      throw toRuntimeError(error, `look at the runner of ${session}`)
    }
    const looked = tracker.look(session)
    if (looked === undefined) return { state: 'absent', session }
    this.#isNew(looked)
    return looked
  }

  async stop(session: string, { graceMs }: StopOptions): Promise<void> {
    this.#endings.hasten(checkSessionId(session), graceMs)
    await this.#exclusive(session, 'stop', () => this.#endings.end(session, graceMs))
  }

  async list(): Promise<RunnerObservation[]> {
    const { view, tracker } = this.#parts
    try {
      await view.lookAtAll()
    } catch (error) {
      throw toRuntimeError(error, 'list the runners')
    }
    // A pod whose Job was deleted, or a Job that never got its pod, is something that was not removed, too.
    return view
      .sessions()
      .map((session) => tracker.look(session) ?? leftover(session, tracker.newest(session)))
  }

  async remove(session: string): Promise<void> {
    this.#endings.hasten(checkSessionId(session), 0)
    await this.#exclusive(session, 'remove', async () => {
      await this.#endings.remove(session)
      this.#floors.delete(session)
    })
  }

  async projects(): Promise<string[]> {
    try {
      return await this.#homes.projects()
    } catch (error) {
      throw toRuntimeError(error, 'list the namespaces of projects')
    }
  }

  async removeProject(project: string): Promise<void> {
    checkProject(project)
    try {
      await this.#homes.remove(project)
    } catch (error) {
      throw toRuntimeError(error, `delete the namespace of the project ${project}`)
    }
  }

  diagnose(options: DiagnoseOptions): Promise<RuntimeDiagnosis> {
    return diagnose({ ...this.#parts, homes: this.#homes }, options)
  }

  watch(onHint: (session: string) => void): () => void {
    const listener = (session: string) => onHint(session)
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#listeners.clear()
    this.#parts.view.stop()
    this.#parts.tracker.close()
    await this.#access.close()
  }

  async #exclusive(session: string, verb: string, task: () => Promise<void>): Promise<void> {
    checkSessionId(session)
    try {
      await this.#lock.run(session, task)
    } catch (error) {
      throw toRuntimeError(error, `${verb} the runner of ${session}`)
    }
  }

  #isNew({ session, generation }: { session: string; generation: number }): boolean {
    const floor = this.#floors.get(session)
    if (floor === undefined) return true
    if (generation < floor) return false
    this.#floors.delete(session)
    return true
  }

  #hint(session: string): void {
    this.#parts.changes.tell(session)
    for (const listener of this.#listeners) listener(session)
  }

  /** Nobody waits for it: until it is done, the end is derived anew from what is seen. */
  async #settle(job: JobFacts, end: RecordedEnd): Promise<void> {
    if (this.#closed || this.#settling.has(job.uid)) return
    this.#settling.add(job.uid)
    const { clock, tracker, log } = this.#parts
    try {
      await this.#endings.settle(job, end)
      this.#settling.delete(job.uid)
    } catch (error) {
      if (!this.#closed)
        log.warn({ session: job.session, err: error }, 'The end of a runner could not be written down')
      const again = () => {
        this.#settling.delete(job.uid)
        if (!this.#closed) tracker.touch(job.session)
      }
      clock.setTimeout(again, retryMs).unref()
    }
  }

  async #blame(job: JobFacts): Promise<void> {
    if (this.#closed) return
    const { tracker, clock, log } = this.#parts
    const trouble = await whyPodless(this.#parts, job).catch((error: unknown) => {
      log.warn({ session: job.session, err: error }, 'The events of a Job could not be read')
      return undefined
    })
    if (trouble !== undefined) tracker.blame(job, trouble)
    else clock.setTimeout(() => this.#closed || tracker.touch(job.session), retryMs).unref()
  }
}
