import { expect } from 'vitest'
import { isRuntimeError, startFailures } from '../runtime-error.ts'
import { freshSession, withoutSteps } from './bench.ts'
import type { Bench } from './harness.ts'

/** Tests of ensure, observe and list. */
export const startCases: Record<string, (bench: Bench) => Promise<void>> = {
  'a session that was never started is absent': async ({ runtime }) => {
    const session = freshSession()
    expect(await runtime.observe(session)).toEqual({ state: 'absent', session })
    expect(await runtime.list()).toEqual([])
    await runtime.stop(session, { graceMs: 0 })
    await runtime.remove(session)
    expect(await runtime.observe(session)).toEqual({ state: 'absent', session })
  },

  'what is asked for runs, and is listed': async ({ runtime, spec, begun }) => {
    const one = spec({ generation: 4 })
    const two = spec()
    await Promise.all([runtime.ensure(one), runtime.ensure(two)])
    const seen = withoutSteps(await runtime.observe(one.session))
    expect(seen).toEqual({
      state: 'running',
      session: one.session,
      generation: 4,
      startedAt: expect.any(Number),
    })
    expect(await runtime.list()).toHaveLength(2)
    expect((await runtime.list()).map(withoutSteps)).toContainEqual(seen)
    await begun(one.session)
  },

  'the runner learns what it is from its environment': async ({ runtime, spec, begun, harness }) => {
    const asked = spec({ generation: 2, env: { BERTH_EXTRA: 'a b\'"$(c)\n', BERTH_SESSION: 'other' } })
    await runtime.ensure(asked)
    await begun(asked.session)
    const [environment] = await harness.starts(asked.session)
    expect(environment).toMatchObject({
      BERTH_BACKEND_URL: asked.backendUrl,
      BERTH_SESSION: asked.session,
      BERTH_PROJECT: asked.project,
      BERTH_GENERATION: '2',
      BERTH_RUNNER_TOKEN: asked.token,
      BERTH_SESSION_DIR: expect.stringMatching(/^\//),
      BERTH_MEMORY_BYTES: String(asked.limits.memoryBytes),
      BERTH_PROCESSES: String(asked.limits.processes),
      BERTH_MILLI_CPUS: String(asked.limits.milliCpus),
      BERTH_EXTRA: 'a b\'"$(c)\n',
    })
  },

  'asking twice, one after the other or at once, starts one runner': async ({
    runtime,
    spec,
    begun,
    harness,
  }) => {
    const asked = spec()
    await Promise.all([runtime.ensure(asked), runtime.ensure(asked), runtime.ensure(asked)])
    await runtime.ensure(asked)
    await begun(asked.session)
    await runtime.stop(asked.session, { graceMs: 10_000 })
    expect(await harness.starts(asked.session)).toHaveLength(1)
  },

  'a generation that has ended is not started again': async ({ runtime, spec, end, harness }) => {
    const asked = spec({ behaviour: 'exit:0' })
    await runtime.ensure(asked)
    const ended = await end(asked.session)
    await runtime.ensure(asked)
    expect(await runtime.observe(asked.session)).toEqual(ended)
    expect(await harness.starts(asked.session)).toHaveLength(1)
  },

  'a newer generation ends the older one first': async ({ runtime, spec, begun, harness }) => {
    const old = spec({ behaviour: 'stubborn' })
    await runtime.ensure(old)
    await begun(old.session)
    await runtime.ensure({ ...spec(), session: old.session, generation: 2 })
    expect(await runtime.observe(old.session)).toMatchObject({ state: 'running', generation: 2 })
    await begun(old.session, 2)
    expect((await harness.starts(old.session)).map((env) => env.BERTH_GENERATION)).toEqual(['1', '2'])
    expect(await harness.alive(old.session)).toBe(1)
  },

  'an older generation is refused': async ({ runtime, spec }) => {
    const asked = spec({ generation: 3 })
    await runtime.ensure(asked)
    const error = await runtime.ensure({ ...asked, generation: 2 }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'RuntimeError', reason: 'forbidden', retryable: false })
    expect(await runtime.observe(asked.session)).toMatchObject({ state: 'running', generation: 3 })
  },

  'a start that fails says why, and leaves nothing': async ({ harness, spec }) => {
    const broken = await harness.openBroken()
    const asked = spec()
    const error = await broken.ensure(asked).catch((thrown: unknown) => thrown)
    expect(isRuntimeError(error)).toBe(true)
    expect(startFailures).toContain(isRuntimeError(error) && error.reason)
    expect(error).toMatchObject({ message: expect.stringContaining(asked.session) })
    expect(await broken.observe(asked.session)).toEqual({ state: 'absent', session: asked.session })
    await broken.close()
  },

  'what is not a session id is refused': async ({ runtime, spec }) => {
    const refused = { name: 'RuntimeError', reason: 'forbidden', retryable: false }
    for (const session of [
      '',
      '..',
      '../ses_00000000000000000000000000',
      'ses_0/../../../../etc/passwd',
      'ses_A',
    ]) {
      await expect(runtime.ensure({ ...spec(), session })).rejects.toMatchObject(refused)
      await expect(runtime.observe(session)).rejects.toMatchObject(refused)
      await expect(runtime.stop(session, { graceMs: 0 })).rejects.toMatchObject(refused)
      await expect(runtime.remove(session)).rejects.toMatchObject(refused)
    }
  },
}
