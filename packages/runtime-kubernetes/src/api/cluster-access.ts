import { KubeConfig, type RequestContext } from '@kubernetes/client-node'

type Dispatcher = NonNullable<ReturnType<RequestContext['getDispatcher']>>

/** Time after which certificates are read anew for new connections. */
const renewMs = 300_000

/**
 * Where the API server is and how to sign in: from KUBECONFIG, the user's configuration, or the service account of the pod.
 * The client opens a pool of connections for each request; here requests share one.
 */
export class ClusterAccess extends KubeConfig {
  #shared: { dispatcher: Dispatcher; since: number } | undefined
  readonly #opened = new Set<Dispatcher>()

  /** `kubeconfig`: the text of one, instead of the environment's. Throws when there is none to be found. */
  static load(kubeconfig?: string): ClusterAccess {
    const access = new ClusterAccess()
    if (kubeconfig === undefined) access.loadFromDefault()
    else access.loadFromString(kubeconfig)
    if (access.getCurrentCluster() === null)
      throw new Error('No cluster is configured: set KUBECONFIG, or run in a pod.')
    return access
  }

  /** Such as `https://10.0.0.1:6443`. */
  get server(): string {
    return (this.getCurrentCluster()?.server ?? '').replace(/\/+$/, '')
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context)
    const now = performance.now()
    if (this.#shared !== undefined && now - this.#shared.since > renewMs) this.leave(this.#shared.dispatcher)
    if (this.#shared === undefined) {
      const dispatcher = context.getDispatcher()
      if (dispatcher === undefined) return
      this.#opened.add(dispatcher)
      this.#shared = { dispatcher, since: now }
    }
    context.setDispatcher(this.#shared.dispatcher)
  }

  /**
   * The connections seem dead: the next requests take others. HTTP/2 has one for all, and one that has gone silent would be
   * used for ever. What still runs on the old ones may end by itself.
   */
  leave(dispatcher: Dispatcher | undefined): void {
    if (dispatcher === undefined || this.#shared?.dispatcher !== dispatcher) return
    this.#shared = undefined
    dispatcher.close().then(
      () => this.#opened.delete(dispatcher),
      () => undefined,
    )
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const opened = [...this.#opened]
    this.#opened.clear()
    this.#shared = undefined
    await Promise.all(opened.map((dispatcher) => dispatcher.destroy()))
  }
}
