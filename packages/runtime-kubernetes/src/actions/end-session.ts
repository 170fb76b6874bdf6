import { kinds } from '../api/resources.ts'
import { endAnnotation, type JobFacts, type PodFacts, type RecordedEnd } from '../observe/facts.ts'
import type { Parts } from './parts.ts'

/** Time between two looks while something is awaited that the watch should tell. */
const lookMs = 1000
/** Time that a node gets to confirm that a pod is dead, after its grace; then the pod is given up with the node. */
const nodeMs = 30_000
/** Time that the other containers get to end when their runner has. */
const lingerMs = 10_000

/** Ends pods, and writes down how they ended. */
export class EndSessions {
  readonly #parts: Parts
  /** By session, when force is due. */
  readonly #forceAt = new Map<string, number>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Shortens the grace of an end that is under way or about to begin; called before anybody waits for its turn. */
  hasten(session: string, graceMs: number): void {
    const due = this.#parts.clock.now() + graceMs
    this.#forceAt.set(session, Math.min(this.#forceAt.get(session) ?? due, due))
    this.#parts.changes.tell(session)
  }

  /** SIGTERM, and force after the grace time. Resolves when no container of the session is left, and its end is written down. */
  async end(session: string, graceMs: number): Promise<void> {
    const { view } = this.#parts
    this.hasten(session, graceMs)
    try {
      if (!view.alive) await view.look(session)
      await this.#halt(session)
      await this.#endPods(session)
      for (const job of view.jobs.of(session)) if (job.end === undefined) await this.#conclude(job)
    } finally {
      this.#forceAt.delete(session)
    }
  }

  /** Deletes the Job with all that belongs to it. The pods of the session have ended. */
  async deleteJob(job: JobFacts): Promise<void> {
    const { api } = this.#parts
    const { namespace, name } = job
    const background = { propagationPolicy: 'Background' }
    await api.delete({ kind: kinds.jobs, namespace, name }, background)
    await api.delete({ kind: kinds.secrets, namespace, name })
  }

  /** Deletes everything of the session, whatever state it is in. */
  async remove(session: string): Promise<void> {
    const { api, view, changes } = this.#parts
    await view.look(session)
    await this.end(session, 0)
    for (const job of view.jobs.of(session)) await this.deleteJob(job)
    for (const { namespace, name } of view.pods.of(session))
      await api.delete({ kind: kinds.pods, namespace, name }, { gracePeriodSeconds: 0 })
    while (view.jobs.of(session).length + view.pods.of(session).length > 0) {
      await changes.next(session, lookMs)
      if (view.jobs.of(session).length + view.pods.of(session).length > 0) await view.look(session)
    }
  }

  /**
   * Writes the end down at the Job, where it outlives the pod, and ends what still runs of the pod: the runner is dead, or
   * has been waited for too long. A Job without a pod gets none any more.
   */
  async settle(job: JobFacts, end: RecordedEnd): Promise<void> {
    const { api, view, clock } = this.#parts
    if (job.end === undefined) await this.#write(job, end)
    const left = () =>
      view.pods
        .of(job.session)
        .filter((pod) => pod.generation === job.generation && !isOver(pod) && !pod.deleting)
    // What ends by itself keeps its logs for a while.
    if (left().some(({ containers }) => containers.runner?.state === 'terminated'))
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, lingerMs).unref())
    for (const pod of left())
      await api.delete({ kind: kinds.pods, namespace: pod.namespace, name: pod.name }, deletion(pod, 1))
  }

  /** Jobs whose pod isn't there yet get none. */
  async #halt(session: string): Promise<void> {
    const { api, view } = this.#parts
    for (const job of view.jobs.of(session)) {
      const pods = view.pods.of(session).filter(({ generation }) => generation === job.generation)
      if (job.end !== undefined || job.suspended || pods.length > 0) continue
      const place = { kind: kinds.jobs, namespace: job.namespace, name: job.name }
      await api.merge(place, { metadata: { uid: job.uid }, spec: { suspend: true } }).catch(ignoreGone)
      await view.look(session)
    }
  }

  async #endPods(session: string): Promise<void> {
    const { api, view, clock, changes } = this.#parts
    let asked = Number.POSITIVE_INFINITY
    for (;;) {
      const left = view.pods.of(session).filter((pod) => !isOver(pod))
      if (left.length === 0) return
      const forceAt = this.#forceAt.get(session) ?? clock.now()
      const isLost = clock.now() > forceAt + nodeMs
      if (forceAt < asked || isLost) {
        asked = forceAt
        // 0 would forget the pod without its node having ended it.
        const seconds = isLost ? 0 : Math.max(1, Math.ceil((forceAt - clock.now()) / 1000))
        for (const pod of left)
          await api.delete(
            { kind: kinds.pods, namespace: pod.namespace, name: pod.name },
            deletion(pod, seconds),
          )
      }
      await changes.next(session, lookMs)
      if (!view.alive || clock.now() > forceAt + 2 * lookMs) await view.look(session)
    }
  }

  /** Nothing of it runs any more: what isn't known of its end by now will not be. */
  async #conclude(job: JobFacts): Promise<void> {
    const { tracker, clock } = this.#parts
    const end = tracker.end(job) ?? {
      reason: 'killed' as const,
      message: 'The runner was ended before it began.',
      endedAt: clock.now(),
    }
    await this.#write(job, end)
  }

  async #write(job: JobFacts, end: RecordedEnd): Promise<void> {
    const { api, view } = this.#parts
    const { namespace, name, uid, session, generation } = job
    const hasPod = view.pods.of(session).some((pod) => pod.generation === generation)
    const patch = {
      // The uid makes the server refuse when the Job is another by now.
      metadata: { uid, annotations: { [endAnnotation]: JSON.stringify(end) } },
      ...(hasPod ? {} : { spec: { suspend: true } }),
    }
    try {
      view.answered(await api.merge({ kind: kinds.jobs, namespace, name }, patch))
    } catch (error) {
      ignoreGone(error)
    }
  }
}

const isOver = ({ phase }: PodFacts): boolean => phase === 'Succeeded' || phase === 'Failed'

const deletion = ({ uid }: PodFacts, gracePeriodSeconds: number) => ({
  gracePeriodSeconds,
  preconditions: { uid },
})

/** What is gone, or is another by now, needs nothing more. */
const ignoreGone = (error: unknown): void => {
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  if (status !== 404 && status !== 409) throw error
}
