import { randomBytes } from 'node:crypto'
import type { RunnerObservation } from '../observation.ts'
import type { RunnerSpec, Runtime } from '../runtime.ts'
import { type Bench, behaviourVariable, type RuntimeHarness } from './harness.ts'

/** A session id that no other test uses. */
export const freshSession = (): string => `ses_0${randomBytes(16).toString('hex').slice(0, 25)}`

/** What stays the same as long as a runner runs: its steps go on meanwhile. */
export const withoutSteps = (observation: RunnerObservation): RunnerObservation => {
  if (observation.state !== 'running') return observation
  const { steps: _, beganAt: __, ...rest } = observation
  return rest
}

/** Wires the helpers of one test; `close` ends all that the test opened. */
export const openBench = async (
  harness: RuntimeHarness,
  patienceMs: number,
): Promise<Bench & { close(): Promise<void> }> => {
  const opened: Runtime[] = []
  const reopen = async () => {
    const runtime = await harness.open()
    opened.push(runtime)
    return runtime
  }
  const first = await reopen()
  const eventually: Bench['eventually'] = (what, probe) => waitFor(what, { probe, patienceMs })
  return {
    harness,
    runtime: first,
    reopen,
    spec: makeSpec,
    eventually,
    end: (session, runtime = first) =>
      eventually('the end of the runner', async () => {
        const observation = await runtime.observe(session)
        return observation.state === 'ended' && observation
      }),
    begun: async (session, count = 1) => {
      await eventually(
        `start ${count} of the runner`,
        async () => (await harness.starts(session)).length >= count,
      )
    },
    close: async () => {
      for (const runtime of opened) await runtime.close()
      await harness.dispose()
    },
  }
}

const makeSpec: Bench['spec'] = ({ behaviour = 'serve', env, ...over } = {}): RunnerSpec => ({
  session: freshSession(),
  project: 'default',
  generation: 1,
  backendUrl: 'http://127.0.0.1:9',
  token: 'token-of-a-test',
  limits: { memoryBytes: 256 * 1024 * 1024, processes: 64, milliCpus: 1500 },
  ...over,
  env: { ...env, [behaviourVariable]: behaviour },
})

interface Wait<T> {
  probe: () => Promise<T | undefined | false> | T | undefined | false
  patienceMs: number
}

const waitFor = async <T>(what: string, { probe, patienceMs }: Wait<T>): Promise<T> => {
  const limit = performance.now() + patienceMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > limit) throw new Error(`waited ${patienceMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
