import { expect, test } from 'vitest'
import type { ContainerFacts, PodFacts } from './facts.ts'
import { advance, type Marks, stepsOf } from './marks.ts'

const pod = (over: Partial<PodFacts> = {}): PodFacts => ({
  namespace: 'n',
  name: 'p',
  uid: 'u',
  version: '1',
  session: 's',
  generation: 1,
  createdAt: 0,
  deleting: false,
  phase: 'Pending',
  reason: '',
  message: '',
  scheduled: true,
  conditions: [],
  containers: {},
  ...over,
})
const runs: ContainerFacts = { state: 'running', since: 0 }
const waits = (reason: string, message = ''): ContainerFacts => ({ state: 'waiting', reason, message })
const asked: Marks = { since: 100, adopted: false }
const unschedulable = pod({
  scheduled: false,
  conditions: [{ type: 'PodScheduled', reason: 'Unschedulable', message: '0/1 nodes are available' }],
})

/** The steps after these looks, one every 100 ms. */
const after = (...pods: (PodFacts | undefined)[]) => {
  let marks = asked
  for (const [index, each] of pods.entries()) marks = advance(marks, { pod: each }, 200 + index * 100)
  return stepsOf(marks).map(({ step, state, ms, message }) => [step, state, ms ?? message])
}

test('the steps of a start, with what each took', () => {
  expect(after(undefined)).toEqual([['schedule', 'started', undefined]])
  expect(after(unschedulable)).toEqual([['schedule', 'failed', '0/1 nodes are available']])
  expect(after(unschedulable, pod())).toEqual([
    ['schedule', 'done', 200],
    ['image', 'started', undefined],
  ])
  const starting = pod({ containers: { agent: runs, runner: waits('PodInitializing') } })
  expect(after(pod(), starting)).toEqual([
    ['schedule', 'done', 100],
    ['image', 'done', 100],
    ['containers', 'started', undefined],
  ])
  const started = pod({ containers: { agent: runs, runner: runs } })
  expect(after(pod(), starting, started).at(-1)).toEqual(['containers', 'done', 100])
})

test.each([
  ['ErrImagePull', 'agent', 'image'],
  ['ImagePullBackOff', 'tools', 'image'],
  ['CreateContainerConfigError', 'agent', 'image'],
] as const)('%s of %s fails the step under way', (reason, name, step) =>
  expect(after(pod({ containers: { [name]: waits(reason, 'why') } })).at(-1)).toEqual([
    step,
    'failed',
    `container ${name}: ${reason}: why`,
  ]),
)

test('the image of a later container fails the start of the containers', () =>
  expect(after(pod({ containers: { agent: runs, runner: waits('ErrImagePull') } })).at(-1)).toEqual([
    'containers',
    'failed',
    'container runner: ErrImagePull',
  ]))

test('trouble counts from when it began, and no longer than it lasts', () => {
  const failing = (reason: string) => pod({ containers: { agent: waits(reason) } })
  const first = advance(asked, { pod: failing('ErrImagePull') }, 200)
  const second = advance(first, { pod: failing('ImagePullBackOff') }, 300)
  expect(second.trouble).toMatchObject({ kind: 'image', since: 200 })
  expect(advance(second, { pod: failing('ContainerCreating') }, 400).trouble).toBeUndefined()
  expect(advance(second, { pod: failing('ImagePullBackOff') }, 500)).toBe(second)
})

test('what was there before this process has steps without a duration', () => {
  const adopted = advance(
    { since: 0, adopted: true },
    { pod: pod({ containers: { agent: runs, runner: runs } }) },
    9,
  )
  expect(stepsOf(adopted)).toEqual(
    ['schedule', 'image', 'containers'].map((step) => ({ step, state: 'done' })),
  )
})
