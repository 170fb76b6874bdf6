import type { Clock } from '@berth/runtime'
import type { V1Job, V1Pod } from '@kubernetes/client-node'
import type { KubernetesApi, ListOf } from '../api/kubernetes-api.ts'
import { kinds } from '../api/resources.ts'
import type { Logger } from '../logger.ts'
import { labels, ownLabels, selectorOf } from '../names.ts'
import { type JobFacts, jobFacts, type PodFacts, podFacts } from '../observe/facts.ts'
import type { CompiledOptions } from '../options/schema.ts'
import { Batch } from './batch.ts'
import { Reflector } from './reflector.ts'
import { Seen } from './seen.ts'

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
  readonly jobs: Seen<JobFacts>
  readonly pods: Seen<PodFacts>
  readonly #parts: ClusterViewParts
  readonly #reflectors: [Reflector<V1Job, JobFacts>, Reflector<V1Pod, PodFacts>]
  readonly #looks: Batch

  constructor(parts: ClusterViewParts) {
    this.#parts = parts
    const { api, options, log, onChange } = parts
    this.jobs = new Seen(({ session }) => onChange(session))
    this.pods = new Seen(({ session }) => onChange(session))
    const common = { api, log, labelSelector: selectorOf(ownLabels(options)) }
    const jobs = { place: { kind: kinds.jobs, ...this.#where }, target: this.jobs, read: jobFacts }
    const pods = { place: { kind: kinds.pods, ...this.#where }, target: this.pods, read: podFacts }
    this.#reflectors = [new Reflector({ ...common, ...jobs }), new Reflector({ ...common, ...pods })]
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

  /** An answer of the API server to a request of ours, which the watch may bring later. */
  answered(job: V1Job): void {
    const facts = jobFacts(job)
    if (facts !== undefined) this.jobs.put(facts)
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
    const pods = await api.list({ kind: kinds.pods, ...this.#where }, selector, { read: podFacts })
    const jobs = await api.list({ kind: kinds.jobs, ...this.#where }, selector, { read: jobFacts })
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
