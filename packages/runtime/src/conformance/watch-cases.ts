import { expect } from 'vitest'
import { withoutSteps } from './bench.ts'
import type { Bench } from './harness.ts'

/** Tests of hints, and of a backend that goes away and comes back. */
export const watchCases: Record<string, (bench: Bench) => Promise<void>> = {
  'the end of a runner is hinted at': async ({ runtime, spec, begun, end, eventually, harness }) => {
    const hints: string[] = []
    runtime.watch((session) => void hints.push(session))
    const asked = spec()
    await runtime.ensure(asked)
    await begun(asked.session)
    await harness.kill(asked.session)
    await eventually('a hint', () => hints.includes(asked.session))
    await end(asked.session)
  },

  'who has stopped watching hears nothing': async ({ runtime, spec, begun, eventually, harness }) => {
    const heard: string[] = []
    const missed: string[] = []
    const unwatch = runtime.watch((session) => void missed.push(session))
    runtime.watch((session) => void heard.push(session))
    const asked = spec()
    await runtime.ensure(asked)
    await begun(asked.session)
    unwatch()
    missed.length = 0
    await harness.kill(asked.session)
    await eventually('a hint', () => heard.includes(asked.session))
    expect(missed).toEqual([])
  },

  'runners outlive the backend and are adopted': async (bench) => {
    const { runtime, spec, begun, harness } = bench
    const asked = spec({ generation: 2 })
    await runtime.ensure(asked)
    await begun(asked.session)
    const before = withoutSteps(await runtime.observe(asked.session))
    await runtime.close()
    await runtime.close()
    const next = await bench.reopen()
    expect((await next.list()).map(withoutSteps)).toEqual([before])
    expect(withoutSteps(await next.observe(asked.session))).toEqual(before)
    await next.ensure(asked)
    expect(await harness.starts(asked.session)).toHaveLength(1)
    expect(await harness.alive(asked.session)).toBe(1)
    await next.stop(asked.session, { graceMs: 60_000 })
    expect(await next.observe(asked.session)).toMatchObject({ reason: 'exited', exitCode: 0 })
  },

  'the end of an adopted runner is hinted at': async (bench) => {
    const asked = bench.spec()
    await bench.runtime.ensure(asked)
    await bench.begun(asked.session)
    await bench.runtime.close()
    const next = await bench.reopen()
    const hints: string[] = []
    next.watch((session) => void hints.push(session))
    expect(await next.observe(asked.session)).toMatchObject({ state: 'running' })
    await bench.harness.kill(asked.session)
    await bench.eventually('a hint', () => hints.includes(asked.session))
    await bench.end(asked.session, next)
  },

  'how a runner ended while the backend was away is known': async (bench) => {
    const asked = bench.spec({ generation: 5 })
    await bench.runtime.ensure(asked)
    await bench.begun(asked.session)
    await bench.runtime.close()
    await bench.harness.kill(asked.session)
    await bench.eventually('its end', async () => (await bench.harness.alive(asked.session)) === 0)
    const next = await bench.reopen()
    const ended = await bench.end(asked.session, next)
    expect(ended).toMatchObject({
      generation: 5,
      reason: expect.stringMatching(/^(killed|out-of-memory|lost)$/),
    })
    await next.ensure({ ...asked, generation: 6 })
    expect(await next.observe(asked.session)).toMatchObject({ state: 'running', generation: 6 })
  },
}
