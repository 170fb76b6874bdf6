import { expect, it } from 'vitest'
import { settingValues, splitPair } from './setting-pairs.ts'

const read = (...pairs: string[]) =>
  settingValues(
    pairs.map((pair) =>
      splitPair(pair, [
        ...[
          'model',
          'deadlineMinutes',
          'idleMinutes',
          'stopWhenDone',
          'ask',
          'instructions',
          'env',
          'effort',
        ],
      ]),
    ),
  )

it('reads each value as its setting takes it', () => {
  expect(
    read('model=m-1', 'deadlineMinutes=60', 'idleMinutes=0.5', 'stopWhenDone=true', 'effort=high'),
  ).toEqual({ model: 'm-1', deadlineMinutes: 60, idleMinutes: 0.5, stopWhenDone: true, effort: 'high' })
  expect(read('instructions=5', 'env={"A":"b=c"}')).toEqual({ instructions: '5', env: { A: 'b=c' } })
})

it('adds the items of a list up, and takes an empty value back', () => {
  expect(read('ask=Bash(git push:*)', 'ask=["Read", "Edit"]', 'model=')).toEqual({
    ask: ['Bash(git push:*)', 'Read', 'Edit'],
    model: null,
  })
})

it('says what a setting can’t be, and which there are', () => {
  expect(() => read('deadlineMinutes=soon')).toThrow(/deadlineMinutes can’t be soon: .*number/)
  expect(() => read('stopWhenDone=yes')).toThrow('Nothing was changed')
  expect(() => read('colour=red')).toThrow('colour=red is no setting')
  expect(() => read('model')).toThrow('Write name=value')
})
