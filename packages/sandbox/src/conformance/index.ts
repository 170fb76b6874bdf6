import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sandbox } from '../sandbox.ts'
import { behaviour } from './behaviour.ts'
import { type EscapeProbe, escapeProbes, missingFor, WRITTEN } from './escape-probes.ts'
import { type Fixture, makeFixture } from './fixture.ts'
import { processesWith, until } from './host-processes.ts'

export interface SandboxAdapter {
  name: string
  /** Where the function that makes the sandbox is exported; another process makes one too. */
  module: URL
  factory: string
  options?: object
  /** What this adapter doesn't promise: name of the test, and why. */
  skips?: Readonly<Record<string, string>>
  /** For a sandbox whose mounts are fixed: where the fixture is made. */
  base?: string
  /** Makes what must be there around a fixture before anything runs. Returns what removes it. */
  surround?(paths: Fixture['paths']): Promise<() => Promise<void>>
}

export { type Container, type ContainerOptions, containersImpossible, startContainer } from './containers.ts'
export { fixturePaths, newBase } from './fixture.ts'

export const DRIVER_PROGRAM = fileURLToPath(new URL('./driver-program.ts', import.meta.url))
const DRIVER_DIES = 'dies with its driver, with everything that it started'

/** Names of all tests of the suite, so that a skip can't outlive its test. */
export const conformanceTests: readonly string[] = [
  ...behaviour.map(({ name }) => name),
  ...escapeProbes.map(({ name }) => name),
  DRIVER_DIES,
]

async function escapes(probe: EscapeProbe, fixture: Fixture): Promise<{ escaped: boolean; output: string }> {
  const before = await fixture.reached()
  const { out, err, exit } = await fixture.run(...probe.attempt(fixture), { door: doorOf(fixture) })
  const output = `${out}${err}${exit.message}`
  if (!out.includes('tried')) throw new Error(`The probe did not run to its end: ${output}`)
  const written = existsSync(join(fixture.paths.base, WRITTEN))
  return { escaped: out.includes('ESCAPED') || written || (await fixture.reached()) > before, output }
}

const doorOf = ({ paths }: Fixture) => ({ socket: paths.door, target: paths.doorInside })

async function driverDies(adapter: SandboxAdapter, fixture: Fixture): Promise<void> {
  const word = `berth-orphan-${randomUUID()}`
  const script = `setsid sh -c 'sh -c "while :; do sleep 1; done" ${word} & '; sh -c 'while :; do sleep 1; done' ${word}`
  const command = fixture.command('/bin/sh', ['-c', script])
  const settings = [adapter.module.href, adapter.factory, adapter.options ?? {}, command].map((one) =>
    typeof one === 'string' ? one : JSON.stringify(one),
  )
  const driver = spawn(process.execPath, [DRIVER_PROGRAM, ...settings, 'hold'], { stdio: 'ignore' })
  const ended = new Promise((resolve) => driver.once('exit', resolve))
  // The driver, the outer shell and the daemon have the word in their command lines.
  const inside = (): number[] => processesWith(word).filter((pid) => pid !== driver.pid)
  await until(() => inside().length >= 3)
  driver.kill('SIGKILL')
  await ended
  await until(() => inside().length === 0)
}

/**
 * The promises of the port, as tests: each escape probe must be held, ends must be reported right, and nothing
 * may outlive its sandbox.
 */
export function sandboxConformance(adapter: SandboxAdapter, make: () => Sandbox): void {
  const skips = adapter.skips ?? {}
  const define = (name: string, missing: string | undefined, test: () => Promise<void>): void => {
    const reason = skips[name] ?? missing
    if (reason === undefined) it(name, test)
    else it.skip(`${name} (${reason})`)
  }
  describe(`${adapter.name} conforms to the port`, () => {
    const sandbox = make()
    let fixture: Fixture
    let leave: (() => Promise<void>) | undefined
    beforeAll(async () => {
      fixture = await makeFixture(sandbox, adapter.base)
      leave = await adapter.surround?.(fixture.paths)
    })
    afterAll(async () => {
      await leave?.()
      await fixture.close()
    })

    it('skips only tests that exist', () => {
      expect(Object.keys(skips).filter((name) => !conformanceTests.includes(name))).toEqual([])
    })
    it('is usable here', async () => {
      expect(await sandbox.check()).toMatchObject({ ok: true })
    })
    for (const { name, test } of behaviour) define(name, undefined, () => test(sandbox, fixture))
    define(DRIVER_DIES, undefined, () => driverDies(adapter, fixture))
    describe('holds an attempt that', () => {
      for (const probe of escapeProbes) {
        define(probe.name, missingFor(probe), async () => {
          const { escaped, output } = await escapes(probe, fixture)
          expect(escaped, output).toBe(false)
        })
      }
    })
  })
}

/** Runs the harmless probes where nothing holds them: each must escape, or it would prove nothing. */
export function probesFindHoles(make: () => Sandbox): void {
  describe('without a sandbox, an attempt escapes that', () => {
    let fixture: Fixture
    beforeAll(async () => {
      fixture = await makeFixture(make())
    })
    afterAll(() => fixture.close())
    it.each(escapeProbes.filter(({ provable }) => provable).map((probe) => [probe.name, probe] as const))(
      '%s',
      async (_name, probe) => {
        const { escaped, output } = await escapes(probe, fixture)
        expect(escaped, output).toBe(true)
      },
    )
  })
}
