import { expect, it } from 'vitest'
import { escapeProbes } from './conformance/escape-probes.ts'
import { probesFindHoles, type SandboxAdapter, sandboxConformance } from './conformance/index.ts'
import * as exported from './index.ts'
import { createBubblewrapSandbox, createNoSandbox, type Sandbox } from './index.ts'

const module = new URL('./index.ts', import.meta.url)
const GRACE = { graceMs: 300 }

const unheld = Object.fromEntries(escapeProbes.map(({ name }) => [name, 'nothing isolates the command']))
const noLimits = 'only the time limit holds without a sandbox'

const adapters: readonly (SandboxAdapter & { make: () => Sandbox })[] = [
  {
    name: 'bubblewrap',
    module,
    factory: 'createBubblewrapSandbox',
    options: GRACE,
    make: () => createBubblewrapSandbox(GRACE),
  },
  {
    name: 'none',
    module,
    factory: 'createNoSandbox',
    options: GRACE,
    make: () => createNoSandbox(GRACE),
    skips: {
      ...unheld,
      'gives exactly the environment that was asked for':
        'a marker is added, by which daemons are found again',
      'applies the environment to the command only, not to the sandbox around it':
        'nothing keeps the command from writing there',
      'reaches the door': 'the door stays where it is outside',
      'passes its self-test': 'it must fail: nothing is isolated',
      'dies with its driver, with everything that it started': 'only bubblewrap has the parent-death signal',
      'refuses processes over the limit and harms no other sandbox': noLimits,
      'refuses memory over the limit, and the rest of the sandbox goes on': noLimits,
      'refuses a file over the limit': noLimits,
      'refuses to fill temporary directories over the limit': noLimits,
      'ends a process at its CPU limit': noLimits,
    },
  },
]

const byRlimits: SandboxAdapter & { make: () => Sandbox } = {
  name: 'bubblewrap limited by rlimits',
  module,
  factory: 'createBubblewrapSandbox',
  options: { ...GRACE, limitBy: 'rlimits' },
  make: () => createBubblewrapSandbox({ ...GRACE, limitBy: 'rlimits' }),
}

it('tests every adapter that the package exports', () => {
  const factories = Object.keys(exported).filter((name) => /^create\w*Sandbox$/.test(name))
  expect(adapters.map(({ factory }) => factory).sort()).toEqual(factories.sort())
})

for (const adapter of adapters) sandboxConformance(adapter, adapter.make)

if (process.getuid?.() === 0) {
  it.skip(
    'bubblewrap limited by rlimits conforms to the port (root’s processes can’t be limited in number so)',
  )
} else sandboxConformance(byRlimits, byRlimits.make)

probesFindHoles(() => createNoSandbox(GRACE))
