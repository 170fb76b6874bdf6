import { expect, test } from 'vitest'
import { labels } from '../names.ts'
import { type JobFacts, jobFacts } from '../observe/facts.ts'
import { Seen } from './seen.ts'

const job = (uid: string, version: number, over: { session?: string; suspend?: boolean } = {}): JobFacts => {
  const facts = jobFacts(jobObject(uid, version, over))
  if (facts === undefined) throw new Error('no Job of ours')
  return facts
}

const jobObject = (uid: string, version: number, over: { session?: string; suspend?: boolean }) => ({
  metadata: {
    uid,
    resourceVersion: String(version),
    labels: { [labels.session]: over.session ?? 's', [labels.generation]: '1' },
  },
  spec: { suspend: over.suspend ?? false, template: {} },
})

const watched = () => {
  const changes: string[] = []
  return { jobs: new Seen<JobFacts>(({ session }) => void changes.push(session)), changes }
}

test('an older event does not undo a newer answer', () => {
  const { jobs, changes } = watched()
  jobs.put(job('a', 7, { suspend: false }))
  jobs.put(job('a', 5, { suspend: true }))
  expect(jobs.of('s')).toMatchObject([{ version: '7', suspended: false }])
  expect(changes).toEqual(['s'])
})

test('a list that was written before takes nothing away, and brings nothing back', () => {
  const { jobs } = watched()
  jobs.put(job('old', 3))
  jobs.put(job('new', 9))
  jobs.replace([], '5')
  expect(jobs.of('s').map(({ uid }) => uid)).toEqual(['new'])
  jobs.drop(job('new', 10))
  jobs.replace([job('new', 9)], '9')
  expect(jobs.of('s')).toEqual([])
})

test('a look at some sessions leaves the others alone', () => {
  const { jobs } = watched()
  jobs.put(job('a', 1, { session: 'one' }))
  jobs.put(job('b', 2, { session: 'two' }))
  jobs.replaceOf(['one'], [], '5')
  expect(jobs.sessions()).toEqual(['two'])
})

test('what only pretends to be ours is not taken', () => {
  const metadata = { uid: 'x', labels: { [labels.session]: 's', [labels.generation]: 'one' } }
  expect([jobFacts({ metadata }), jobFacts({ metadata: { uid: 'y' } })]).toEqual([undefined, undefined])
})
