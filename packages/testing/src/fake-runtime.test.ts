import { type RunnerSpec, runnerEnvironment } from '@berth/runtime'
import { behaviourVariable, type RuntimeHarness, runtimeConformance } from '@berth/runtime/conformance'
import { describe, expect, test } from 'vitest'
import { createManualClock } from './clock.ts'
import type { FakeRunner } from './fake-runner.ts'
import { createFakeRuntime } from './fake-runtime.ts'

const behave = (runner: FakeRunner): void => {
  const [behaviour, code] = (runner.spec.env?.[behaviourVariable] ?? 'serve').split(':')
  if (behaviour === 'stubborn') runner.onTerm(() => undefined)
  if (behaviour === 'die') runner.end('killed', { signal: 'SIGKILL' })
  if (behaviour === 'exit') runner.end(code === '0' ? 'exited' : 'crashed', { exitCode: Number(code) })
}

const makeHarness = async (): Promise<RuntimeHarness> => {
  const world = createFakeRuntime()
  world.onEnsure(behave)
  const startsOf = (session: string) => world.starts.filter((spec) => spec.session === session)
  return {
    open: async () => world.reopen(),
    openBroken: async () => {
      world.failNextStart('spawn')
      return world.reopen()
    },
    starts: async (session) =>
      startsOf(session).map((spec) => ({ ...spec.env, ...runnerEnvironment(spec, `/sessions/${session}`) })),
    alive: async (session) => ((await world.observe(session)).state === 'running' ? 1 : 0),
    kill: async (session) => world.end(session, 'killed', { signal: 'SIGKILL' }),
    dispose: () => world.close(),
  }
}

runtimeConformance('fake', makeHarness)

const spec: RunnerSpec = {
  session: 'ses_01k0000000000000000000000a',
  project: 'default',
  generation: 1,
  backendUrl: 'http://127.0.0.1:9',
  token: 'token',
  limits: { memoryBytes: 1, processes: 1, milliCpus: 1000 },
}

describe('the handles of the fake runtime', () => {
  test('a failed start happens once, with its facts', async () => {
    const runtime = createFakeRuntime()
    runtime.failNextStart('quota', { message: 'no room', retryable: false })
    const refused = { reason: 'quota', retryable: false, message: expect.stringContaining('no room') }
    await expect(runtime.ensure(spec)).rejects.toMatchObject(refused)
    await runtime.ensure(spec)
    expect(await runtime.observe(spec.session)).toMatchObject({ state: 'running' })
  })

  test('held starts wait until they are let go', async () => {
    const runtime = createFakeRuntime()
    const release = runtime.hold()
    const started = runtime.ensure(spec)
    expect(await runtime.observe(spec.session)).toMatchObject({ state: 'absent' })
    release()
    await started
    expect(await runtime.observe(spec.session)).toMatchObject({ state: 'running' })
  })

  test('times and grace follow the clock', async () => {
    const clock = createManualClock(1000)
    const runtime = createFakeRuntime({ clock })
    runtime.onEnsure((runner) => runner.onTerm(() => undefined))
    await runtime.ensure(spec)
    const stopped = runtime.stop(spec.session, { graceMs: 500 })
    await clock.advance(499)
    expect(await runtime.observe(spec.session)).toMatchObject({ state: 'running', startedAt: 1000 })
    await clock.advance(1)
    await stopped
    expect(await runtime.observe(spec.session)).toMatchObject({
      state: 'ended',
      reason: 'killed',
      endedAt: 1500,
    })
    expect(clock.pending()).toBe(0)
  })

  test('an end by hand is hinted at, and must have somebody to end', async () => {
    const runtime = createFakeRuntime()
    const hints: string[] = []
    runtime.watch((session) => void hints.push(session))
    await runtime.ensure(spec)
    runtime.end(spec.session, 'out-of-memory', { message: 'too big' })
    expect(await runtime.observe(spec.session)).toMatchObject({ reason: 'out-of-memory', message: 'too big' })
    expect(hints).toEqual([spec.session])
    expect(() => runtime.end(spec.session, 'lost')).toThrow(/no runner/)
  })
})
