import { expect, it } from 'vitest'
import { createCheckpointer } from './checkpointer.ts'
import { createSaver } from './saver.ts'
import { StorageFull } from './upload.ts'

const saved = { trees: [], problem: undefined, omitted: [] }
const nothing = { version: 1 as const, turns: 1, repositories: [] }

it('saves a long turn again and again, and nothing between turns', async () => {
  const reasons: string[] = []
  let busy = true
  const saver = createSaver({
    workspace: {
      save: async () => saved,
      saveQuietly: async () => saved,
      exclusively: (task) => task(async () => saved),
      state: nothing,
      update: async () => undefined,
    },
    checkpointer: {
      request: ({ reason }) => void reasons.push(reason),
      settled: async () => undefined,
    },
    agentHome: { listConversation: async () => [] },
    conversation: () => undefined,
    busy: () => busy,
    intervalMs: 5,
  })
  await expect.poll(() => reasons.length).toBeGreaterThan(2)
  busy = false
  await saver.now('stop')
  saver.close()
  expect(new Set(reasons)).toEqual(new Set(['interval', 'stop']))
  expect(reasons.at(-1)).toBe('stop')
})

it('keeps the newest request while one is under way, and tells a failure once', async () => {
  const made: (string | undefined)[] = []
  const told: string[] = []
  const gate = Promise.withResolvers<void>()
  let full = false
  const over = new AbortController()
  const checkpointer = createCheckpointer({
    async make({ turn }) {
      await gate.promise
      if (full) throw new StorageFull('full')
      made.push(turn)
      const manifest = { blob: '0'.repeat(64), size: 1, mediaType: 'application/json' }
      return { number: made.length, manifest, size: 1, files: 1, omitted: [] }
    },
    emit: ({ type }) => void told.push(type),
    signal: over.signal,
    onProblem: () => undefined,
    now: () => 0,
    fullMs: 5,
  })
  const ask = (turn: string) => checkpointer.request({ reason: 'turn', turn, saved, conversation: undefined })
  for (const turn of ['one', 'two', 'three']) ask(turn)
  gate.resolve()
  await checkpointer.settled()
  expect(made).toEqual(['one', 'three'])
  full = true
  ask('four')
  await checkpointer.settled()
  ask('five')
  await checkpointer.settled()
  expect(told).toEqual(['checkpoint.saved', 'checkpoint.saved', 'checkpoint.failed'])
  full = false
  // It is tried again by itself.
  await expect.poll(() => made).toEqual(['one', 'three', 'five'])
  over.abort()
})
