import { expect, test } from 'vitest'
import { Batch } from './batch.ts'

test('what is asked together is one task; what comes meanwhile waits for the next', async () => {
  const tasks: string[][] = []
  const gate = Promise.withResolvers<void>()
  const batch = new Batch(async (keys) => {
    tasks.push(keys)
    if (tasks.length === 1) await gate.promise
    if (keys.includes('bad')) throw new Error('bad')
  }, 2)
  const first = Promise.all(['a', 'a', 'b'].map((key) => batch.add(key)))
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const second = Promise.all(['a', 'c'].map((key) => batch.add(key)))
  const third = batch.add('bad')
  gate.resolve()
  await first
  await second
  await expect(third).rejects.toThrow('bad')
  await batch.add('d')
  expect(tasks).toEqual([['a', 'b'], ['a', 'c'], ['bad'], ['d']])
})
