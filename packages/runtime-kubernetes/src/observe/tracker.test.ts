import { createManualClock } from '@berth/testing'
import { expect, test } from 'vitest'
import { compileOptions } from '../options/read-options.ts'
import type { JobFacts, PodFacts } from './facts.ts'
import { Tracker } from './tracker.ts'

const { patience } = compileOptions({ images: { runner: 'r' } })
const identity = {
  namespace: 'n',
  name: 'j',
  uid: 'u',
  version: '1',
  session: 's',
  generation: 1,
  createdAt: 0,
}
const aJob: JobFacts = {
  ...identity,
  project: 'p',
  suspended: false,
  deleting: false,
  conditions: [],
  end: undefined,
}
const aPod: PodFacts = {
  ...identity,
  deleting: false,
  phase: 'Pending',
  reason: '',
  message: '',
  scheduled: true,
  conditions: [],
  containers: {},
}
const crashed: PodFacts = {
  ...aPod,
  phase: 'Running',
  containers: {
    runner: { state: 'terminated', reason: 'Error', message: '', exitCode: 1, signal: undefined, at: 1 },
  },
}

const track = () => {
  const clock = createManualClock(0)
  const seen: { jobs: JobFacts[]; pods: PodFacts[] } = { jobs: [aJob], pods: [] }
  const told: string[] = []
  const tracker = new Tracker({
    jobs: () => [...seen.jobs],
    pods: () => [...seen.pods],
    patience,
    clock,
    onChange: () => told.push('change'),
    onEnd: (_, { reason }) => told.push(`end ${reason}`),
    onPodless: () => told.push('podless'),
  })
  return { clock, seen, told, tracker }
}

test('when patience runs out it looks by itself: nothing happens then that would be seen', async () => {
  const { clock, seen, told, tracker } = track()
  seen.pods = [{ ...aPod, containers: { agent: { state: 'waiting', reason: 'ErrImagePull', message: 'm' } } }]
  tracker.touch('s')
  await clock.advance(patience.imageSeconds * 1000 - 1)
  expect(told).toEqual(['change'])
  await clock.advance(1)
  expect(told).toEqual(['change', 'end image', 'change'])
  expect(tracker.look('s')).toMatchObject({ state: 'ended', reason: 'image' })
})

test('a Job without a pod is asked about, and what is blamed counts until it has one', async () => {
  const { clock, seen, told, tracker } = track()
  tracker.touch('s')
  await clock.advance(5000)
  expect(told).toEqual(['change', 'podless'])
  tracker.blame(aJob, { kind: 'schedule', message: 'exceeded quota' })
  expect(tracker.look('s')).toMatchObject({
    steps: [{ step: 'schedule', state: 'failed', message: 'exceeded quota' }],
  })
  seen.pods = [aPod]
  tracker.touch('s')
  expect(tracker.look('s')).toMatchObject({ steps: [{ step: 'schedule', state: 'done' }, { step: 'image' }] })
})

test('an end is told until it is written down and nothing goes on', () => {
  const { seen, told, tracker } = track()
  const touched = () => {
    told.length = 0
    tracker.touch('s')
    return told.filter((each) => each !== 'change')
  }
  const end = { reason: 'crashed', message: 'm', endedAt: 1 } as const
  seen.pods = [crashed]
  expect(touched()).toEqual(['end crashed'])
  seen.jobs = [{ ...aJob, end }]
  expect(touched()).toEqual(['end crashed'])
  seen.pods = [{ ...crashed, deleting: true }]
  expect(touched()).toEqual([])
})

test('what was last seen of a pod counts when it is gone', () => {
  const { seen, tracker } = track()
  seen.pods = [crashed]
  tracker.touch('s')
  seen.pods = []
  tracker.touch('s')
  expect(tracker.look('s')).toMatchObject({ state: 'ended', reason: 'crashed', exitCode: 1 })
})

test('the newest generation counts; one that is only being asked for is none', () => {
  const { seen, tracker } = track()
  seen.jobs = [aJob, { ...aJob, uid: 'v', generation: 2, suspended: true }]
  expect(tracker.newest('s').map(({ generation }) => generation)).toEqual([2, 1])
  expect(tracker.look('s')).toBeUndefined()
  seen.jobs = []
  expect(tracker.look('s')).toBeUndefined()
})
