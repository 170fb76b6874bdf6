import { type EndReason, endReasons } from '@berth/runtime'
import type { V1ContainerState, V1ContainerStatus, V1Job, V1Pod } from '@kubernetes/client-node'
import { labels } from '../names.ts'

/** Where the end of a runner is written down: its pod may be gone when somebody asks. */
export const endAnnotation = 'berth.dev/end'

/** How a runner ended, as it is written down. */
export interface RecordedEnd {
  reason: EndReason
  exitCode?: number
  signal?: string
  message: string
  endedAt: number
}

export interface Condition {
  type: string
  reason: string
  message: string
}

/** What counts of a Job. The objects themselves are large, and many. */
export interface JobFacts {
  namespace: string
  name: string
  uid: string
  version: string
  project: string
  session: string
  generation: number
  createdAt: number
  suspended: boolean
  deleting: boolean
  /** Those that hold. */
  conditions: Condition[]
  end: RecordedEnd | undefined
}

export type ContainerFacts =
  | { state: 'waiting'; reason: string; message: string }
  | { state: 'running'; since: number }
  | {
      state: 'terminated'
      reason: string
      message: string
      exitCode: number
      signal: number | undefined
      at: number
    }

/** What counts of a pod. */
export interface PodFacts {
  namespace: string
  name: string
  uid: string
  version: string
  session: string
  generation: number
  createdAt: number
  deleting: boolean
  phase: string
  reason: string
  message: string
  /** False and a condition that says why, as long as it has no node. */
  scheduled: boolean
  conditions: Condition[]
  /** Those that the kubelet has told of, init containers too. */
  containers: Record<string, ContainerFacts>
}

/** Undefined for what is no Job of ours: labels can be set by others. */
export const jobFacts = (job: V1Job): JobFacts | undefined => {
  const own = identity(job)
  if (own === undefined) return undefined
  return {
    ...own,
    project: job.metadata?.labels?.[labels.project] ?? '',
    suspended: job.spec?.suspend === true,
    deleting: job.metadata?.deletionTimestamp !== undefined,
    conditions: holding(job.status?.conditions),
    end: readEnd(job.metadata?.annotations?.[endAnnotation]),
  }
}

export const podFacts = (pod: V1Pod): PodFacts | undefined => {
  const own = identity(pod)
  if (own === undefined) return undefined
  const { status } = pod
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const conditions = status?.conditions ?? []
  return {
    ...own,
    deleting: pod.metadata?.deletionTimestamp !== undefined,
    phase: status?.phase ?? 'Pending',
    reason: status?.reason ?? '',
    message: status?.message ?? '',
    scheduled: pod.spec?.nodeName !== undefined,
    // A pod without a node has its reason in a condition that doesn't hold.
    conditions: [
      ...holding(conditions),
      ...conditions
        .filter(({ type, status: value }) => type === 'PodScheduled' && value === 'False')
        .map(condition),
    ],
    containers: Object.fromEntries(statuses.map(containerFacts)),
  }
}

const identity = ({ metadata }: V1Job | V1Pod) => {
  const session = metadata?.labels?.[labels.session]
  const generation = Number(metadata?.labels?.[labels.generation])
  if (session === undefined || !Number.isSafeInteger(generation)) return undefined
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    version: metadata?.resourceVersion ?? '',
    session,
    generation,
    createdAt: timeOf(metadata?.creationTimestamp),
  }
}

/** The client's types say Date, the wire says text. */
const timeOf = (value: Date | string | undefined): number =>
  value === undefined ? 0 : new Date(value).getTime()

interface ApiCondition {
  type: string
  status: string
  reason?: string
  message?: string
}

const condition = ({ type, reason = '', message = '' }: ApiCondition): Condition => ({
  type,
  reason,
  message,
})

const holding = (conditions: ApiCondition[] | undefined): Condition[] =>
  (conditions ?? []).filter(({ status }) => status === 'True').map(condition)

const containerFacts = ({ name, state }: V1ContainerStatus): [string, ContainerFacts] => [
  name,
  stateFacts(state),
]

const stateFacts = (state: V1ContainerState | undefined): ContainerFacts => {
  if (state?.terminated !== undefined) {
    const { reason = '', message = '', exitCode, signal, finishedAt } = state.terminated
    const at = timeOf(finishedAt)
    return { state: 'terminated', reason, message, exitCode, signal: signal === 0 ? undefined : signal, at }
  }
  if (state?.running !== undefined) return { state: 'running', since: timeOf(state.running.startedAt) }
  return { state: 'waiting', reason: state?.waiting?.reason ?? '', message: state?.waiting?.message ?? '' }
}

const readEnd = (text: string | undefined): RecordedEnd | undefined => {
  if (text === undefined) return undefined
  try {
    const { reason, exitCode, signal, message, endedAt } = JSON.parse(text)
    if (!endReasons.includes(reason) || typeof endedAt !== 'number') return undefined
    return { reason, exitCode, signal, message: String(message).slice(0, 4000), endedAt }
  } catch {
    return undefined
  }
}
