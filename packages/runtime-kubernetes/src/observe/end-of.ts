import { constants } from 'node:os'
import type { EndReason } from '@berth/runtime'
import type { CompiledOptions } from '../options/schema.ts'
import type { ContainerFacts, JobFacts, PodFacts, RecordedEnd } from './facts.ts'
import type { Marks } from './marks.ts'

export interface Look {
  job: JobFacts
  /** The pod of the Job, or the last that was seen of it. */
  pod: PodFacts | undefined
  /** The pod is there no more. */
  podIsGone: boolean
  marks: Marks
  /** By our own clock, as the marks. */
  now: number
  patience: CompiledOptions['patience']
}

type End = Omit<RecordedEnd, 'endedAt'> & { endedAt?: number }

/** How the generation ended; undefined as long as it hasn't. What is written down counts before all else. */
export const endOf = (look: Look): RecordedEnd | undefined => {
  const { job, now } = look
  if (job.end !== undefined) return job.end
  const end = fromPod(look) ?? fromJob(look) ?? fromPatience(look)
  return end && { ...end, message: end.message.slice(0, 4000), endedAt: end.endedAt ?? now }
}

/** By Kubernetes' word for why it takes a running pod away. */
const disruptions: Record<string, { reason: EndReason; message: string }> = {
  PreemptionByScheduler: {
    reason: 'preempted',
    message: 'The pod had to make room for one of higher priority.',
  },
  DeletionByTaintManager: { reason: 'node-lost', message: 'The node became unreachable or was tainted.' },
  DeletionByPodGC: { reason: 'node-lost', message: 'The node of the pod is gone.' },
  EvictionByEvictionAPI: {
    reason: 'evicted',
    message: 'The pod was evicted, e.g. because its node is drained.',
  },
  TerminationByKubelet: { reason: 'evicted', message: 'The node ended the pod.' },
}

/** By the reason that the kubelet gives a failed pod. */
const podReasons: Record<string, { reason: EndReason; message: string }> = {
  Evicted: { reason: 'evicted', message: 'The node evicted the pod.' },
  Preempting: { reason: 'preempted', message: 'The pod had to make room for a more important one.' },
  DeadlineExceeded: { reason: 'deadline', message: 'The runner reached the longest time that it may live.' },
  NodeLost: { reason: 'node-lost', message: 'The node of the pod is lost.' },
  Terminated: { reason: 'evicted', message: 'The node was shut down.' },
  NodeShutdown: { reason: 'evicted', message: 'The node was shut down.' },
  NodeAffinity: { reason: 'create-error', message: 'The node refused the pod.' },
  UnexpectedAdmissionError: { reason: 'create-error', message: 'The node refused the pod.' },
}

const overdue: End = { reason: 'deadline', message: 'The runner reached the longest time that it may live.' }

/** The Job's own deadline ends its pod by a signal, so the pod doesn't tell. */
const isOverdue = (job: JobFacts): boolean =>
  job.conditions.some(({ reason }) => reason === 'DeadlineExceeded')

const fromPod = ({ job, pod, podIsGone }: Look): End | undefined => {
  if (pod === undefined) return undefined
  const runner = pod.containers.runner
  const disruption = pod.conditions.find(({ type }) => type === 'DisruptionTarget')
  const disrupted = disruption && disruptions[disruption.reason]
  const wasTaken = podIsGone && disrupted !== undefined
  const isOver =
    wasTaken || pod.phase === 'Failed' || pod.phase === 'Succeeded' || runner?.state === 'terminated'
  if (!isOver) return undefined
  const endedAt = runner?.state === 'terminated' && runner.at > 0 ? runner.at : undefined
  if (isOverdue(job)) return { ...overdue, endedAt }
  const named = podReasons[pod.reason]
  if (named !== undefined)
    return { reason: named.reason, message: sentence(named.message, pod.message), endedAt }
  // Whoever ends well by itself while its node is drained has ended well.
  if (disrupted !== undefined && !(runner?.state === 'terminated' && runner.exitCode === 0))
    return { reason: disrupted.reason, message: sentence(disrupted.message, disruption?.message), endedAt }
  if (runner?.state === 'terminated') return { ...fromRunner(runner), endedAt }
  return {
    reason: 'lost',
    message: sentence('The pod failed before its runner began.', pod.message || pod.reason),
  }
}

const fromRunner = (runner: Extract<ContainerFacts, { state: 'terminated' }>): End => {
  const { exitCode, reason, message } = runner
  const log = message === '' ? undefined : `The end of its log: ${message}`
  if (reason === 'OOMKilled' && exitCode !== 0)
    return {
      reason: 'out-of-memory',
      message: sentence('The runner used more memory than its container has.', log),
    }
  if (reason === 'ContainerStatusUnknown')
    return { reason: 'lost', message: sentence('The node lost sight of the runner.', message) }
  if (reason === 'StartError' || reason === 'ContainerCannotRun')
    return {
      reason: 'create-error',
      message: sentence('The container of the runner could not be started.', message),
    }
  if (exitCode === 0) return { reason: 'exited', exitCode, message: 'The runner ended by itself.' }
  const signal = signalOf(runner.signal ?? exitCode - 128)
  if (signal !== undefined)
    return { reason: 'killed', signal, message: sentence(`The runner was ended by ${signal}.`, log) }
  return { reason: 'crashed', exitCode, message: sentence(`The runner ended with code ${exitCode}.`, log) }
}

/** By convention a container that a signal ended has 128 and the signal's number as its code. */
const signalOf = (number: number): string | undefined =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0]

const fromJob = ({ job, pod, podIsGone }: Look): End | undefined => {
  const failed = job.conditions.find(({ type }) => type === 'Failed' || type === 'FailureTarget')
  // The pod tells more, as soon as it has ended.
  if (failed === undefined || (pod !== undefined && !podIsGone)) return undefined
  if (isOverdue(job)) return overdue
  return {
    reason: 'lost',
    message: sentence('The pod of the runner is gone, and nothing is known of its end.', failed.message),
  }
}

const fromPatience = ({ marks, now, patience, pod }: Look): End | undefined => {
  const { trouble, beganAt } = marks
  if (beganAt !== undefined) return undefined
  if (trouble === undefined) return undefined
  const waited = (now - trouble.since) / 1000
  const told = (message: string) => sentence(message, trouble.message)
  switch (trouble.kind) {
    case 'schedule':
      if (waited < patience.scheduleSeconds) return undefined
      return pod === undefined
        ? { reason: 'unschedulable', message: told(`The pod could not be made for ${spoken(waited)}.`) }
        : { reason: 'unschedulable', message: told(`No node had room for the runner for ${spoken(waited)}.`) }
    case 'image':
      if (waited < patience.imageSeconds) return undefined
      return { reason: 'image', message: told(`An image could not be had for ${spoken(waited)}.`) }
    case 'create':
      if (waited < patience.createSeconds) return undefined
      return { reason: 'create-error', message: told(`A container could not be made for ${spoken(waited)}.`) }
  }
}

const spoken = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`

const sentence = (first: string, rest: string | undefined): string =>
  rest === undefined || rest.trim() === '' ? first : `${first} ${rest.trim()}`
