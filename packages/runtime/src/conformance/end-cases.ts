import { expect } from 'vitest'
import type { RunnerEnded } from '../observation.ts'
import type { Bench, RunnerBehaviour } from './harness.ts'

const endsAs = (behaviour: RunnerBehaviour, expected: Partial<RunnerEnded>) => async (bench: Bench) => {
  const asked = bench.spec({ behaviour, generation: 7 })
  await bench.runtime.ensure(asked)
  const ended = await bench.end(asked.session)
  expect(ended).toMatchObject({ generation: 7, ...expected, endedAt: expect.any(Number) })
  expect(ended.message).not.toBe('')
  expect(await bench.runtime.list()).toEqual([ended])
}

/** Tests of how a runner ends: by itself, by stop, by remove. */
export const endCases: Record<string, (bench: Bench) => Promise<void>> = {
  'code 0 is exited': endsAs('exit:0', { reason: 'exited', exitCode: 0 }),
  'another code is crashed': endsAs('exit:3', { reason: 'crashed', exitCode: 3 }),
  'a signal is killed': endsAs('die', { reason: 'killed', signal: 'SIGKILL' }),

  'death from outside is noticed': async ({ runtime, spec, begun, end, harness }) => {
    const asked = spec()
    await runtime.ensure(asked)
    await begun(asked.session)
    await harness.kill(asked.session)
    expect((await end(asked.session)).reason).toMatch(/^(killed|out-of-memory|lost)$/)
  },

  'stop lets the runner end by itself': async ({ runtime, spec, begun, harness }) => {
    const asked = spec()
    await runtime.ensure(asked)
    await begun(asked.session)
    await runtime.stop(asked.session, { graceMs: 60_000 })
    expect(await harness.alive(asked.session)).toBe(0)
    const ended = { state: 'ended', generation: 1, reason: 'exited', exitCode: 0 }
    expect(await runtime.observe(asked.session)).toMatchObject(ended)
    await runtime.stop(asked.session, { graceMs: 0 })
    expect(await runtime.observe(asked.session)).toMatchObject(ended)
  },

  'stop uses force after the grace time': async ({ runtime, spec, begun, harness }) => {
    const asked = spec({ behaviour: 'stubborn' })
    await runtime.ensure(asked)
    await begun(asked.session)
    await runtime.stop(asked.session, { graceMs: 50 })
    expect(await harness.alive(asked.session)).toBe(0)
    expect(await runtime.observe(asked.session)).toMatchObject({ reason: 'killed', signal: 'SIGKILL' })
  },

  'a second stop shortens the grace of the first': async ({ runtime, spec, begun }) => {
    const asked = spec({ behaviour: 'stubborn' })
    await runtime.ensure(asked)
    await begun(asked.session)
    const patient = runtime.stop(asked.session, { graceMs: 3_600_000 })
    await runtime.stop(asked.session, { graceMs: 0 })
    await patient
    expect(await runtime.observe(asked.session)).toMatchObject({ state: 'ended', reason: 'killed' })
  },

  'a newer generation runs after a stop': async ({ runtime, spec, eventually, harness }) => {
    const asked = spec()
    await runtime.ensure(asked)
    await runtime.stop(asked.session, { graceMs: 0 })
    await runtime.ensure({ ...asked, generation: 2 })
    expect(await runtime.observe(asked.session)).toMatchObject({ state: 'running', generation: 2 })
    // The first one may have begun before it was stopped, or not.
    await eventually('the start of the second', async () =>
      (await harness.starts(asked.session)).some(({ BERTH_GENERATION }) => BERTH_GENERATION === '2'),
    )
    expect(await harness.alive(asked.session)).toBe(1)
  },

  'remove forgets, and ends what runs': async ({ runtime, spec, begun, harness }) => {
    const running = spec()
    const ended = spec()
    await runtime.ensure(running)
    await runtime.ensure(ended)
    await begun(running.session)
    await runtime.stop(ended.session, { graceMs: 0 })
    for (const { session } of [running, ended]) {
      await runtime.remove(session)
      expect(await runtime.observe(session)).toEqual({ state: 'absent', session })
      expect(await harness.alive(session)).toBe(0)
      await runtime.remove(session)
    }
    expect(await runtime.list()).toEqual([])
    await runtime.ensure(running)
    expect(await runtime.observe(running.session)).toMatchObject({ state: 'running', generation: 1 })
  },
}
