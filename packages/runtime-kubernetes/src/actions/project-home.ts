import { setTimeout as sleep } from 'node:timers/promises'
import { RuntimeError } from '@berth/runtime'
import type { V1Namespace } from '@kubernetes/client-node'
import { hasStatus, isApiError } from '../api/api-error.ts'
import { kinds } from '../api/resources.ts'
import { labels, namespaceOf, ownLabels, selectorOf } from '../names.ts'
import { limitRangeSpec, namespaceSpec, quotaSpec } from '../specs/namespace.ts'
import { networkPolicySpec } from '../specs/network-policy.ts'
import type { Parts } from './parts.ts'

/** Looks at a namespace that is being deleted, before somebody has to come again. */
const patientLooks = 20
const lookMs = 500
/** Looks at one that a project’s end waits for. What holds up a namespace may do so for good. */
const lastLooks = 120

/** The namespaces in which runners live, with what has to be there before the first of them. */
export class ProjectHomes {
  readonly #parts: Pick<Parts, 'api' | 'options' | 'log'>
  readonly #ready = new Map<string, Promise<void>>()

  constructor(parts: Pick<Parts, 'api' | 'options' | 'log'>) {
    this.#parts = parts
  }

  /** Makes sure that the namespace is there and complete; after the first time that it was found so, without a look. */
  prepare(project: string): Promise<void> {
    const namespace = namespaceOf(this.#parts.options, project)
    const known = this.#ready.get(namespace)
    if (known !== undefined) return known
    const made = this.#prepare(namespace, project)
    this.#ready.set(namespace, made)
    made.catch(() => this.#ready.delete(namespace))
    return made
  }

  /** The namespace was not as it should be: the next one who needs it looks. */
  forget(project: string): void {
    this.#ready.delete(namespaceOf(this.#parts.options, project))
  }

  /** The projects that have a namespace of this installation's. */
  async projects(): Promise<string[]> {
    const { api, options } = this.#parts
    if ('existing' in options.namespaces) return []
    const read = ({ metadata }: V1Namespace) => metadata?.labels?.[labels.project]
    const { items } = await api.list({ kind: kinds.namespaces }, selectorOf(ownLabels(options)), { read })
    return items
  }

  /**
   * Deletes the namespace of the project, if this installation made one. Resolves when it is gone; rejects with `unavailable` when
   * it is still there after a minute.
   */
  async remove(project: string): Promise<void> {
    const { api, options } = this.#parts
    if ('existing' in options.namespaces) return
    const place = { kind: kinds.namespaces, name: namespaceOf(options, project) }
    this.forget(project)
    for (let look = 0; look < lastLooks; look++) {
      const found = await this.#find(place.name)
      if (found === undefined || !this.#isOurs(found, project)) return
      if (found.metadata?.deletionTimestamp === undefined)
        await api.delete(place, { preconditions: { uid: found.metadata?.uid } })
      await sleep(lookMs)
    }
    throw terminating(place.name)
  }

  async #prepare(namespace: string, project: string): Promise<void> {
    const { api, options } = this.#parts
    const at = <K extends (typeof kinds)[keyof typeof kinds]>(kind: K, name: string) => ({
      kind,
      namespace,
      name,
    })
    if (!('existing' in options.namespaces)) {
      await this.#makeNamespace(namespace, project)
      await Promise.all([
        api.apply(at(kinds.quotas, 'berth'), quotaSpec(options, namespace)),
        api.apply(at(kinds.limitRanges, 'berth'), limitRangeSpec(options, namespace)),
      ])
    }
    if (options.network.policy === 'none') return
    const policy = networkPolicySpec(options, namespace)
    await api.apply(at(kinds.networkPolicies, policy.metadata?.name ?? ''), policy)
  }

  async #makeNamespace(name: string, project: string): Promise<void> {
    const { api, options, log } = this.#parts
    const wanted = namespaceSpec(options, project)
    for (let look = 0; look < patientLooks; look++) {
      const found = await this.#find(name)
      if (found === undefined) {
        const made = await api.create({ kind: kinds.namespaces }, wanted).catch((error: unknown) => {
          // Another backend was faster; the next look sees it.
          if (!hasStatus(error, 409)) throw error
        })
        if (made === undefined) continue
        log.info({ namespace: name, project }, 'A namespace was made for a project')
        return
      }
      if (!this.#isOurs(found, project)) throw foreign(name, project)
      if (found.metadata?.deletionTimestamp === undefined) {
        // The labels of an older version, or of somebody's edit, would let pods in that should not run.
        await api.merge({ kind: kinds.namespaces, name }, { metadata: { labels: wanted.metadata?.labels } })
        return
      }
      await sleep(lookMs)
    }
    throw terminating(name)
  }

  async #find(name: string): Promise<V1Namespace | undefined> {
    try {
      return await this.#parts.api.get<V1Namespace>({ kind: kinds.namespaces, name })
    } catch (error) {
      if (isApiError(error) && error.status === 404) return undefined
      throw error
    }
  }

  #isOurs({ metadata }: V1Namespace, project: string): boolean {
    const wanted = { ...ownLabels(this.#parts.options), [labels.project]: project }
    return Object.entries(wanted).every(([key, value]) => metadata?.labels?.[key] === value)
  }
}

const foreign = (name: string, project: string): RuntimeError =>
  new RuntimeError({
    reason: 'forbidden',
    message: `The namespace ${name} of the project ${project} was not made by this installation of Berth, and is left alone. Delete it, or set another prefix or instance.`,
    retryable: false,
  })

const terminating = (name: string): RuntimeError =>
  new RuntimeError({
    reason: 'unavailable',
    message: `The namespace ${name} is being deleted and still there; when it is gone, Berth goes on. If that takes minutes, something in it holds it up: kubectl get namespace ${name} -o yaml`,
    retryable: true,
  })
