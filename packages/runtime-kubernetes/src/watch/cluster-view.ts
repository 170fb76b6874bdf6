import type { Clock } from '@berth/runtime'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import type { KubernetesApi, ListOf } from '../api/kubernetes-api.ts'
import { kinds } from '../api/resources.ts'
import type { Logger } from '../logger.ts'
import { labels, ownLabels, selectorOf } from '../names.ts'
import type { JobFacts, PodFacts } from '../observe/facts.ts'
import type { CompiledOptions } from '../options/schema.ts'
import { Batch } from './batch.ts'
import { Reflector } from './reflector.ts'
import { type Seen, seenJobs, seenPods } from './seen.ts'

export interface ClusterViewParts {
  api: KubernetesApi
  options: CompiledOptions
  clock: Clock
  log: Logger
  onChange: (session: string) => void
}

/** Sessions that one look asks for; more would make its address too long. */
const lookSize = 100

/** What is known of all our Jobs and pods: from two watches, and from looks where a watch isn't enough. */
export class ClusterView {
  readonly jobs: Seen<V1Job, JobFacts>
  readonly pods: Seen<V1Pod, PodFacts>
  readonly #parts: ClusterViewParts
  readonly #reflectors: [Reflector<V1Job>, Reflector<V1Pod>]
  readonly #looks: Batch

  constructor(parts: ClusterViewParts) {
    this.#parts = parts
    const { api, options, log, onChange } = parts
    this.jobs = seenJobs(({ session }) => onChange(session))
    this.pods = seenPods(({ session }) => onChange(session))
    const labelSelector = selectorOf(ownLabels(options))
    this.#reflectors = [
      new Reflector({
        api,
        log,
        labelSelector,
        place: { kind: kinds.jobs, ...this.#where },
        target: this.jobs,
      }),
      new Reflector({
        api,
        log,
        labelSelector,
        place: { kind: kinds.pods, ...this.#where },
        target: this.pods,
      }),
    ]
    this.#looks = new Batch((sessions) => this.#look(sessions), lookSize)
  }

  /** Pods first: a Job whose pods are not known yet would look as if it had lost them. */
  start(): void {
    const [jobs, pods] = this.#reflectors
    pods.start()
    void pods.synced.then(() => jobs.start())
  }

  stop(): void {
    for (const reflector of this.#reflectors) reflector.stop()
  }

  /** Whether what is known is as new as a watch can be. */
  get alive(): boolean {
    return this.#reflectors.every(({ alive }) => alive)
  }

  /** Every session of which something is there. */
  sessions(): string[] {
    return [...new Set([...this.jobs.sessions(), ...this.pods.sessions()])]
  }

  /** Asks the API server for the session; looks of many sessions at once are one. */
  look(session: string): Promise<void> {
    return this.#looks.add(session)
  }

  /** Asks the API server for all that is ours. */
  async lookAtAll(): Promise<void> {
    await this.#fetch(selectorOf(ownLabels(this.#parts.options)), undefined)
  }

  async #look(sessions: string[]): Promise<void> {
    const own = selectorOf(ownLabels(this.#parts.options))
    await this.#fetch(`${own},${labels.session} in (${sessions.join(',')})`, sessions)
  }

  async #fetch(selector: string, sessions: string[] | undefined): Promise<void> {
    const { api } = this.#parts
    const pods = await api.list<V1Pod>({ kind: kinds.pods, ...this.#where }, selector)
    const jobs = await api.list<V1Job>({ kind: kinds.jobs, ...this.#where }, selector)
    const asOf = (list: ListOf<unknown>) => list.metadata?.resourceVersion ?? ''
    if (sessions === undefined) {
      this.pods.replace(pods.items, asOf(pods))
      this.jobs.replace(jobs.items, asOf(jobs))
    } else {
      this.pods.replaceOf(sessions, pods.items, asOf(pods))
      this.jobs.replaceOf(sessions, jobs.items, asOf(jobs))
    }
  }

  get #where() {
    const { namespaces } = this.#parts.options
    return 'existing' in namespaces ? { namespace: namespaces.existing } : {}
  }
}
