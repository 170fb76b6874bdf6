import type { V1Job, V1Pod } from '@kubernetes/client-node'
import type { Parts } from '../actions/parts.ts'
import { whyPodless } from '../actions/podless.ts'
import { kinds } from '../api/resources.ts'
import { labels } from '../names.ts'
import { type PodFacts, podFacts } from '../observe/facts.ts'
import { type Trouble, troubleOf } from '../observe/trouble.ts'
import { type ProbeSpec, probeJob } from './probe-job.ts'

/** How far a probe came. */
export type ProbeOutcome =
  | { kind: 'ended'; message: string; exitCode: number }
  | { kind: 'running'; ip: string }
  /** The cluster made no pod. */
  | { kind: 'refused'; message: string }
  | { kind: 'trouble'; trouble: Trouble }
  /** Nothing says why. */
  | { kind: 'late'; made: boolean; message: string }

export interface ProbeRun {
  /** As soon as it runs, or when it has ended. */
  until: 'running' | 'ended'
}

/** A probe that is there until it is removed. */
export interface Probe {
  outcome: ProbeOutcome
  remove(): Promise<void>
}

type ProbeParts = Pick<Parts, 'api' | 'options' | 'commands'>

const lookMs = 500
const patienceMs = 60_000
/** What holds a pod up may pass: a new node, a registry that is busy. */
const troubleMs = 15_000

/** Starts a probe and follows it. Rejects, with nothing left, when the API server refuses the Job itself. */
export const runProbe = async (parts: ProbeParts, spec: ProbeSpec, { until }: ProbeRun): Promise<Probe> => {
  const body = probeJob(parts, spec)
  const place = { kind: kinds.jobs, namespace: body.metadata?.namespace }
  const job = await parts.api.create<V1Job>(place, body)
  const remove = () =>
    parts.api.delete(
      { ...place, name: spec.name },
      { propagationPolicy: 'Background', gracePeriodSeconds: 0 },
    )
  try {
    return { outcome: await follow(parts, job, until), remove }
  } catch (error) {
    await remove().catch(() => undefined)
    throw error
  }
}

const follow = async (parts: ProbeParts, job: V1Job, until: ProbeRun['until']): Promise<ProbeOutcome> => {
  const { name = '', namespace = '', uid = '' } = job.metadata ?? {}
  const began = performance.now()
  let phase: string | undefined
  let troubledSince: number | undefined
  while (performance.now() - began < patienceMs) {
    const pod = await podOf(parts, namespace, name)
    if (pod === undefined) {
      const why = await whyPodless(parts, { namespace, uid })
      if (why !== undefined) return { kind: 'refused', message: why.message }
    } else {
      const outcome = outcomeOf(pod, until)
      if (outcome !== undefined) return outcome
      phase = pod.facts.phase
      const trouble = troubleOf(pod.facts)
      troubledSince = trouble === undefined ? undefined : (troubledSince ?? performance.now())
      if (trouble !== undefined && performance.now() - (troubledSince ?? 0) > troubleMs)
        return { kind: 'trouble', trouble }
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
  const made = phase !== undefined
  const message = `after ${patienceMs / 1000} s ${made ? `the pod is ${phase}` : 'there is no pod'}`
  return { kind: 'late', made, message }
}

interface ProbePod {
  facts: PodFacts
  ip: string | undefined
}

const podOf = async ({ api }: ProbeParts, namespace: string, job: string): Promise<ProbePod | undefined> => {
  const selector = `batch.kubernetes.io/job-name=${job}`
  const { items } = await api.list({ kind: kinds.pods, namespace }, selector, { read: readProbe })
  return items[0]
}

/** It is read like the pod of a runner, which it isn't. */
const readProbe = ({ metadata, spec, status }: V1Pod): ProbePod | undefined => {
  const named = { ...metadata?.labels, [labels.session]: 'probe', [labels.generation]: '1' }
  const facts = podFacts({ spec, status, metadata: { ...metadata, labels: named } })
  return facts && { facts, ip: status?.podIP }
}

const outcomeOf = ({ facts, ip }: ProbePod, until: ProbeRun['until']): ProbeOutcome | undefined => {
  const container = facts.containers.runner
  if (container?.state === 'terminated')
    return { kind: 'ended', message: container.message || container.reason, exitCode: container.exitCode }
  if (facts.phase === 'Failed') return { kind: 'ended', message: facts.message || facts.reason, exitCode: -1 }
  return container?.state === 'running' && until === 'running' && ip !== undefined
    ? { kind: 'running', ip }
    : undefined
}
