import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tail, type TailLine } from './tail.ts'

const line = (position: number): TailLine => ({ position, json: `{"n":${position}}` })

/** A log in memory whose appends are noticed, with or without their lines. */
const createLog = (maxBytes?: number) => {
  const lines: TailLine[] = []
  let reads = 0
  const tail = new Tail({
    maxBytes,
    read: async (_key, after) => {
      reads += 1
      return lines.filter(({ position }) => position > after).slice(0, 7)
    },
  })
  const log = {
    tail,
    reads: () => reads,
    /** Adds lines; what it gives tells of them. */
    add: (count: number, withLines: boolean) => {
      const added = Array.from({ length: count }, (_, i) => line(lines.length + i + 1))
      lines.push(...added)
      const head = lines.length
      return () => tail.notice('a', head, withLines ? added : undefined)
    },
    append: (count: number, withLines: boolean) => log.add(count, withLines)(),
  }
  return log
}

const collect = async (tail: Tail, { after, until }: { after: number; until: number }) => {
  const stop = new AbortController()
  const got: number[] = []
  for await (const lines of tail.follow('a', after, stop.signal)) {
    got.push(...lines.map(({ position }) => position))
    if ((got.at(-1) ?? 0) >= until) stop.abort()
  }
  return got
}

describe('Tail', () => {
  it('gives every line once and in order, though notices of other backends come late, doubled, mixed up or never', async () => {
    const told = fc.constantFrom('at once', 'late', 'twice', 'never' as const)
    const step = fc.record({ count: fc.integer({ min: 1, max: 6 }), withLines: fc.boolean(), told })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const log = createLog()
        const total = steps.reduce((sum, { count }) => sum + count, 0)
        const reader = collect(log.tail, { after: 0, until: total })
        const late: (() => void)[] = []
        for (const { count, withLines, told } of steps) {
          const tell = log.add(count, withLines)
          if (told === 'at once' || told === 'twice') tell()
          else if (told === 'late') late.push(tell)
          if (told === 'twice') late.push(tell)
          if (late.length > 2) for (const tell of late.splice(0).reverse()) tell()
          await new Promise((resolve) => setImmediate(resolve))
        }
        // What was never told is found by asking how far the log has come.
        log.tail.notice('a', total)
        expect(await reader).toEqual(Array.from({ length: total }, (_, i) => i + 1))
      }),
      { numRuns: 100 },
    )
  })

  it('waits where there is nothing left to read, though more was told of', async () => {
    const log = createLog()
    const stop = new AbortController()
    const reader = log.tail.follow('a', 0, stop.signal).next()
    await new Promise((resolve) => setImmediate(resolve))
    log.tail.notice('a', 5)
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(log.reads()).toBeLessThan(4)
    log.append(6, true)
    expect((await reader).value?.at(-1)).toEqual(line(6))
    stop.abort()
  })

  it('gives every line once and in order, however it is appended, evicted and read', async () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 12 }),
      withLines: fc.boolean(),
      ticks: fc.integer({ min: 0, max: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 400 }),
        async (steps, bytes) => {
          const log = createLog(bytes)
          const total = steps.reduce((sum, { count }) => sum + count, 0)
          const readers = [0, Math.floor(total / 2)].map((after) =>
            collect(log.tail, { after, until: total }),
          )
          for (const { count, withLines, ticks } of steps) {
            log.append(count, withLines)
            for (let i = 0; i < ticks; i++) await new Promise((resolve) => setImmediate(resolve))
          }
          const [all, half] = await Promise.all(readers)
          const expected = Array.from({ length: total }, (_, i) => i + 1)
          expect(all).toEqual(expected)
          expect(half).toEqual(expected.slice(Math.floor(total / 2)))
          expect(log.tail.stats).toEqual({ bytes: 0, readers: 0 })
        },
      ),
      { numRuns: 100 },
    )
  })

  it('reads all that was there before, in several reads, without being told', async () => {
    const log = createLog()
    log.append(50, false)
    expect(await collect(log.tail, { after: 0, until: 50 })).toHaveLength(50)
  })

  it('serves readers that keep up from the ring, not from the store', async () => {
    const log = createLog()
    const readers = Array.from({ length: 50 }, () => collect(log.tail, { after: 0, until: 20 }))
    await new Promise((resolve) => setImmediate(resolve))
    const before = log.reads()
    for (let i = 0; i < 20; i++) {
      log.append(1, true)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(readers)
    expect(log.reads()).toBe(before)
  })

  it('keeps nothing for keys that nobody reads', () => {
    const log = createLog()
    log.append(100, true)
    expect(log.tail.stats).toEqual({ bytes: 0, readers: 0 })
  })

  it('leaves when its signal aborts while it waits', async () => {
    const log = createLog()
    const stop = new AbortController()
    const reader = log.tail.follow('a', 0, stop.signal).next()
    await new Promise((resolve) => setImmediate(resolve))
    expect(log.tail.stats.readers).toBe(1)
    stop.abort()
    expect(await reader).toEqual({ done: true, value: undefined })
    expect(log.tail.stats.readers).toBe(0)
  })
})
