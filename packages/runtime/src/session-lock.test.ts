import { expect, test } from 'vitest'
import { SessionLock } from './session-lock.ts'

test('one task at a time and in order per session, others at once, failures don’t stick', async () => {
  const lock = new SessionLock()
  const log: string[] = []
  const gate = Promise.withResolvers<void>()
  const first = lock.run('a', async () => {
    log.push('a1')
    await gate.promise
    throw new Error('a1 failed')
  })
  const second = lock.run('a', async () => void log.push('a2'))
  await lock.run('b', async () => void log.push('b1'))
  expect(log).toEqual(['a1', 'b1'])
  gate.resolve()
  await expect(first).rejects.toThrow('a1 failed')
  await second
  expect(log).toEqual(['a1', 'b1', 'a2'])
  expect(await lock.run('a', async () => 'value')).toBe('value')
})
