import { chmodSync, chownSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { escapeProbes } from './conformance/escape-probes.ts'
import {
  containersImpossible,
  fixturePaths,
  newBase,
  probesFindHoles,
  type SandboxAdapter,
  sandboxConformance,
  startContainer,
} from './conformance/index.ts'
import * as exported from './index.ts'
import {
  createBubblewrapSandbox,
  createContainerSandbox,
  createNoSandbox,
  type Sandbox,
  type SandboxMount,
} from './index.ts'

const module = new URL('./index.ts', import.meta.url)
const GRACE = { graceMs: 300 }

const unheld = Object.fromEntries(escapeProbes.map(({ name }) => [name, 'nothing isolates the command']))
const noLimits = 'only the time limit holds without a sandbox'

/** Two containers with fixed mounts, around a fixture whose place is known before it is made. */
const containers = () => {
  const base = newBase()
  const paths = fixturePaths(base)
  const [agent, workspace] = [join(base, 'a/l'), join(base, 'w/l')]
  const shown: SandboxMount[] = [
    { path: paths.workspace, mode: 'rw' },
    { path: paths.home, mode: 'rw' },
    { path: dirname(process.execPath), mode: 'ro' },
  ]
  const door: SandboxMount = { path: paths.door, mode: 'ro', target: paths.doorInside }
  const options = {
    ...GRACE,
    waitMs: 20_000,
    agent,
    workspace,
    mounts: { agent: [...shown, door], workspace: shown },
  }
  return { base, options }
}

const { base, options: containerOptions } = containers()
const user = 21_001
const group = 21_000

/** What the group may use, as in the volumes of a pod. */
const share = (path: string, mode: number) => {
  chownSync(path, 0, group)
  chmodSync(path, mode)
}

const surround: SandboxAdapter['surround'] = async (paths) => {
  for (const path of [paths.workspace, paths.home]) share(path, 0o2777)
  share(paths.door, 0o660)
  const started = (['agent', 'workspace'] as const).map((name) =>
    startContainer({
      ...{ user, group, socket: containerOptions[name], mounts: containerOptions.mounts[name] },
      ...{ memoryBytes: 400 * 1024 ** 2, temporaryBytes: 16 * 1024 ** 2 },
    }),
  )
  return async () => {
    for (const container of started) await container.close()
  }
}

const sibling: SandboxAdapter & { make: () => Sandbox } = {
  name: 'container',
  module,
  factory: 'createContainerSandbox',
  options: containerOptions,
  make: () => createContainerSandbox(containerOptions),
  base,
  surround,
  skips: {
    'finds the machine’s run-time directories': 'a container sees its own control group in /sys/fs',
    'makes workspace and home writable, for the driver too':
      'files are the agent’s user’s; modes are tested with the runner',
    'refuses to fill temporary directories over the limit':
      'their sizes are those of the container’s volumes',
    'sees or signals processes of the host':
      'process ids go on counting in a container; a test of its own looks at the processes',
  },
}

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
  sibling,
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

for (const adapter of adapters)
  if (adapter === sibling && containersImpossible !== undefined)
    it.skip(`container conforms to the port (${containersImpossible})`)
  else sandboxConformance(adapter, adapter.make)

if (process.getuid?.() === 0) {
  it.skip(
    'bubblewrap limited by rlimits conforms to the port (root’s processes can’t be limited in number so)',
  )
} else sandboxConformance(byRlimits, byRlimits.make)

probesFindHoles(() => createNoSandbox(GRACE))
