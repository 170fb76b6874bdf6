import { describe, expect, test } from 'vitest'
import { openBench } from './bench.ts'
import { endCases } from './end-cases.ts'
import type { ConformanceOptions, RuntimeHarness } from './harness.ts'
import { startCases } from './start-cases.ts'
import { watchCases } from './watch-cases.ts'

const cases = { ...startCases, ...endCases, ...watchCases }

/**
 * The tests that every runtime passes. `makeHarness` makes a place of its own for each test; the suite disposes of it.
 * Call it at the top of a test file.
 */
export const runtimeConformance = (
  name: string,
  makeHarness: () => Promise<RuntimeHarness>,
  { skips = {}, patienceMs = 20_000 }: ConformanceOptions = {},
): void => {
  describe(`${name}: a runtime`, () => {
    test('skips only tests that exist', () =>
      expect(Object.keys(cases)).toEqual(expect.arrayContaining(Object.keys(skips))))

    for (const [title, run] of Object.entries(cases)) {
      const reason = skips[title]
      if (reason) test.skip(`${title} (skipped: ${reason})`)
      else test(title, { timeout: patienceMs * 4 }, () => runCase(run, { makeHarness, patienceMs }))
    }
  })
}

interface Run {
  makeHarness: () => Promise<RuntimeHarness>
  patienceMs: number
}

const runCase = async (run: (typeof cases)[string], { makeHarness, patienceMs }: Run): Promise<void> => {
  const bench = await openBench(await makeHarness(), patienceMs)
  try {
    await run(bench)
  } finally {
    await bench.close()
  }
}
