import { expect, test } from 'vitest'
import { compileOptions } from '../options/read-options.ts'
import { endOf, type Look } from './end-of.ts'
import type { ContainerFacts, JobFacts, PodFacts } from './facts.ts'

const { patience } = compileOptions({ images: { runner: 'r' } })
const identity = {
  namespace: 'n',
  name: 'j',
  uid: 'u',
  version: '1',
  session: 's',
  generation: 1,
  createdAt: 1000,
}
const job: JobFacts = {
  ...identity,
  project: 'p',
  suspended: false,
  deleting: false,
  conditions: [],
  end: undefined,
}
const pod: PodFacts = {
  ...identity,
  deleting: false,
  phase: 'Running',
  reason: '',
  message: '',
  scheduled: true,
  conditions: [],
  containers: {},
}

const terminated = (
  exitCode: number,
  over: Partial<Extract<ContainerFacts, { state: 'terminated' }>> = {},
) => ({
  containers: {
    runner: {
      state: 'terminated' as const,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      message: '',
      exitCode,
      signal: undefined,
      at: 5000,
      ...over,
    },
  },
})
const disrupted = (reason: string) => ({ conditions: [{ type: 'DisruptionTarget', reason, message: '' }] })
const failedPod = (reason: string, message = '') => ({ phase: 'Failed', reason, message })
const failedJob = (reason: string) => ({ conditions: [{ type: 'Failed', reason, message: 'why' }] })

interface Over extends Partial<Pick<Look, 'marks' | 'now'>> {
  pod?: Partial<PodFacts>
  job?: Partial<JobFacts>
  gone?: boolean
}

const end = (over: Over) => {
  const { pod: podOver, job: jobOver, gone = false, ...more } = over
  const look: Look = {
    job: { ...job, ...jobOver },
    pod: podOver === undefined ? undefined : { ...pod, ...podOver },
    podIsGone: gone || podOver === undefined,
    marks: { since: 0, adopted: false },
    now: 9000,
    patience,
    ...more,
  }
  return endOf(look)
}

test.each([
  ['nothing yet', {}, undefined],
  ['a pod that runs', { pod: {} }, undefined],
  [
    'a pod that is being taken away and still runs',
    { pod: { deleting: true, ...disrupted('PreemptionByScheduler') } },
    undefined,
  ],
  ['code 0', { pod: terminated(0) }, { reason: 'exited', exitCode: 0, endedAt: 5000 }],
  ['another code', { pod: terminated(3) }, { reason: 'crashed', exitCode: 3 }],
  ['128 and a signal', { pod: terminated(137) }, { reason: 'killed', signal: 'SIGKILL' }],
  ['a signal that is told', { pod: terminated(1, { signal: 15 }) }, { reason: 'killed', signal: 'SIGTERM' }],
  ['a code above 128 that is no signal', { pod: terminated(255) }, { reason: 'crashed', exitCode: 255 }],
  ['memory', { pod: terminated(137, { reason: 'OOMKilled' }) }, { reason: 'out-of-memory' }],
  [
    'a child that was killed for memory',
    { pod: terminated(0, { reason: 'OOMKilled' }) },
    { reason: 'exited' },
  ],
  [
    'a program that is missing',
    { pod: terminated(128, { reason: 'StartError' }) },
    { reason: 'create-error' },
  ],
  ['a node that forgot', { pod: terminated(137, { reason: 'ContainerStatusUnknown' }) }, { reason: 'lost' }],
  [
    'eviction',
    { pod: failedPod('Evicted', 'Usage exceeds the limit.') },
    { reason: 'evicted', message: 'The node evicted the pod. Usage exceeds the limit.' },
  ],
  ['the shutdown of a node', { pod: failedPod('Terminated') }, { reason: 'evicted' }],
  ['the kubelet’s own preemption', { pod: failedPod('Preempting') }, { reason: 'preempted' }],
  ['a node that refuses', { pod: failedPod('UnexpectedAdmissionError') }, { reason: 'create-error' }],
  ['an unknown failure', { pod: failedPod('Surprise') }, { reason: 'lost' }],
  [
    'preemption',
    { pod: { ...terminated(137), ...disrupted('PreemptionByScheduler') } },
    { reason: 'preempted' },
  ],
  [
    'a drained node',
    { pod: { ...terminated(143), ...disrupted('EvictionByEvictionAPI') } },
    { reason: 'evicted' },
  ],
  [
    'a drained node, and a runner that saved and went',
    { pod: { ...terminated(0), ...disrupted('EvictionByEvictionAPI') } },
    { reason: 'exited' },
  ],
  [
    'a lost node',
    { pod: { ...terminated(137), ...disrupted('DeletionByTaintManager') } },
    { reason: 'node-lost' },
  ],
  [
    'a lost node whose pod was forgotten',
    { pod: disrupted('DeletionByTaintManager'), gone: true },
    { reason: 'node-lost' },
  ],
  [
    'a pod that the collector took',
    { pod: disrupted('DeletionByPodGC'), gone: true },
    { reason: 'node-lost' },
  ],
  [
    'the Job’s deadline',
    { pod: terminated(137), job: failedJob('DeadlineExceeded') },
    { reason: 'deadline' },
  ],
  ['the Job’s deadline without a pod', { job: failedJob('DeadlineExceeded') }, { reason: 'deadline' }],
  [
    'a Job that has failed while its pod is still seen to run',
    { pod: {}, job: failedJob('BackoffLimitExceeded') },
    undefined,
  ],
  [
    'a Job that has lost its pod',
    { pod: {}, gone: true, job: failedJob('BackoffLimitExceeded') },
    { reason: 'lost' },
  ],
] satisfies [string, object, object | undefined][])('%s', (_, look: object, expected) => {
  const found = end(look as Over)
  if (expected === undefined) expect(found).toBeUndefined()
  else expect(found).toMatchObject(expected)
})

test('what is written down counts, whatever is seen later', () => {
  const written = { reason: 'exited', message: 'm', endedAt: 1 } as const
  expect(end({ job: { end: written }, pod: terminated(1) })).toEqual(written)
})

test('the end of the log is told, within the limit', () => {
  expect(end({ pod: terminated(1, { message: 'TypeError: x' }) })?.message).toContain('TypeError: x')
  expect(end({ pod: terminated(1, { message: 'x'.repeat(9000) }) })?.message).toHaveLength(4000)
})

test.each([
  ['schedule', 'unschedulable', 300],
  ['image', 'image', 60],
  ['create', 'create-error', 30],
] as const)('trouble with %s ends as %s after the patience for it', (kind, reason, seconds) => {
  const marks = { since: 0, adopted: false, trouble: { kind, message: 'why', since: 1000 } }
  const look = (now: number) => end({ pod: {}, marks, now })
  expect(look(1000 + seconds * 1000 - 1)).toBeUndefined()
  expect(look(1000 + seconds * 1000)).toMatchObject({ reason, message: expect.stringContaining('why') })
  expect(end({ pod: {}, marks: { ...marks, beganAt: 2000 }, now: 1e9 })).toBeUndefined()
})
