import { expect, test } from 'vitest'
import { createInputQueue } from './input-queue.ts'

test('items come in order, also those pushed before and after reading began, until the end', async () => {
  const queue = createInputQueue<number>()
  queue.push(1)
  const reader = queue[Symbol.asyncIterator]()
  expect(await reader.next()).toEqual({ done: false, value: 1 })
  const waiting = reader.next()
  queue.push(2)
  queue.push(3)
  queue.end()
  queue.push(4)
  expect(await waiting).toEqual({ done: false, value: 2 })
  expect(await reader.next()).toEqual({ done: false, value: 3 })
  expect(await reader.next()).toMatchObject({ done: true })
})
