import { BerthError, type LogLine, limits } from '@berth/contract'
import { expect, test, vi } from 'vitest'
import { createLogShipper } from './shipper.ts'

const now = () => new Date(0)

const rig = (refuse: (call: number) => Error | undefined = () => undefined) => {
  const batches: LogLine[][] = []
  let calls = 0
  const shipper = createLogShipper({
    now,
    intervalMs: 1,
    send: async (lines) => {
      const error = refuse(++calls)
      if (error !== undefined) throw error
      batches.push(lines)
    },
  })
  const texts = () => batches.flat().map(({ text }) => text)
  return { shipper, batches, texts, calls: () => calls }
}

test('sends what came, in order, and what is left at the end', async () => {
  const { shipper, texts } = rig()
  shipper.push({ source: 'runner', level: 'info', text: 'one' })
  await vi.waitFor(() => expect(texts()).toEqual(['one']), 20_000)
  for (let i = 0; i < 250; i++) shipper.push({ source: 'agent', text: `${i}` })
  await shipper.close(1000)
  expect(texts()).toEqual(['one', ...Array.from({ length: 250 }, (_, i) => `${i}`)])
  shipper.push({ source: 'runner', text: 'late' })
  expect(texts()).not.toContain('late')
})

test('keeps lines while the backend is away, from before the hello on', async () => {
  const { shipper, texts, calls } = rig((call) => (call < 3 ? new Error('away') : undefined))
  shipper.push({ source: 'runner', text: 'before hello' })
  await vi.waitFor(() => expect(calls()).toBeGreaterThan(0), 20_000)
  shipper.push({ source: 'runner', text: 'after' })
  await vi.waitFor(() => expect(texts()).toEqual(['before hello', 'after']), 20_000)
})

test('[P75] a flood drops its own oldest lines, says so, and takes nothing from the runner', async () => {
  const { shipper, batches, texts } = rig()
  shipper.push({ source: 'runner', text: 'mine' })
  for (let i = 1; i <= 100_000; i++) shipper.push({ source: 'agent', text: `flood ${i}` })
  await shipper.close(5000)
  expect(texts()).toContain('mine')
  expect(texts().at(-1)).toBe('flood 100000')
  expect(texts()).toContainEqual(expect.stringMatching(/^… 99600 lines dropped/))
  for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(limits.logLinesPerBatch)
})

test('ends within its time when nobody answers, and at once when another runner took over', async () => {
  const silent = createLogShipper({
    now,
    intervalMs: 1,
    send: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject)),
  })
  silent.push({ source: 'runner', text: 'x' })
  await silent.close(5)
  const { shipper, calls } = rig(() => new BerthError('fenced', 'over'))
  shipper.push({ source: 'runner', text: 'x' })
  await vi.waitFor(() => expect(calls()).toBe(1), 20_000)
  shipper.push({ source: 'runner', text: 'y' })
  await shipper.close(1000)
  expect(calls()).toBe(1)
})
