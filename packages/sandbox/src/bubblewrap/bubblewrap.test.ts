import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chownSync, existsSync, mkdtempSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findControlGroups } from '../cgroup/find.ts'
import { collect } from '../conformance/fixture.ts'
import { processesWith, until } from '../conformance/host-processes.ts'
import { DRIVER_PROGRAM } from '../conformance/index.ts'
import { sendSignal } from '../process/signal.ts'
import { createBubblewrapSandbox } from './bubblewrap-sandbox.ts'
import { parseVersion } from './check.ts'
import { readStatusLine } from './status-channel.ts'

const MiB = 1024 ** 2
const settings = { cwd: '/', env: { PATH: '/usr/bin:/bin' }, mounts: [] }
const groups = findControlGroups()
const perl = existsSync('/usr/bin/perl') ? undefined : 'perl is not installed'

describe('bubblewrap', () => {
  const sandbox = createBubblewrapSandbox({ graceMs: 300 })
  const shell = (script: string, limits = {}) =>
    collect(sandbox, { ...settings, command: '/bin/sh', args: ['-c', script], limits })

  it('says what is missing and how to repair it', async () => {
    const missing = createBubblewrapSandbox({ bwrap: '/no/such/bwrap' })
    expect(await missing.check()).toMatchObject({
      ok: false,
      problem: expect.stringContaining('not installed'),
      repair: expect.stringContaining('bubblewrap'),
    })
    const { exit } = await collect(missing, { ...settings, command: '/bin/true', args: [] })
    expect(exit).toMatchObject({ reason: 'spawn-failed', message: expect.stringContaining('bwrap') })
  })

  it('refuses a program that isn’t bubblewrap, or is too old', async () => {
    const check = await createBubblewrapSandbox({ bwrap: '/bin/true' }).check()
    expect(check).toMatchObject({ ok: false, problem: expect.stringContaining('0.8 or newer') })
  })

  it('reports when somebody kills it from outside', async () => {
    const word = `berth-${randomUUID()}`
    const child = sandbox.spawn({
      ...settings,
      command: '/bin/sh',
      args: ['-c', 'while :; do sleep 1; done', word],
    })
    await until(() => processesWith(word).length > 1)
    sendSignal(child.pid ?? 0, 'SIGKILL')
    expect(await child.exited).toMatchObject({
      reason: 'killed',
      message: expect.stringContaining('from outside'),
    })
    expect(processesWith(word)).toEqual([])
  })

  it('starts fifty at once and leaves no control group or file behind', async () => {
    const runs = await Promise.all(Array.from({ length: 50 }, (_, index) => shell(`echo ${index}`)))
    expect(runs.map(({ out }) => out)).toEqual(runs.map((_, index) => `${index}\n`))
  })

  it('passes what a shell would interpret', async () => {
    const args = ['', '$HOME', '`id`', "a'b", 'c\nd', '--', '--help', '*']
    const { out } = await collect(sandbox, {
      ...settings,
      command: '/usr/bin/printf',
      args: ['%s|', ...args],
    })
    expect(out).toBe(args.map((arg) => `${arg}|`).join(''))
  })

  it.each(['/tmp/deep/place', '/var/tmp/deep/place'])(
    'shows what lies below %s, as programs there do',
    async (target) => {
      const mounts = [{ path: import.meta.dirname, mode: 'ro', target }] as const
      const { out, err } = await collect(sandbox, {
        ...{ ...settings, mounts, cwd: target },
        ...{ command: '/bin/sh', args: ['-c', 'ls bubblewrap.test.ts; echo x >/var/tmp/y && cat /tmp/y'] },
      })
      expect([out, err]).toEqual(['bubblewrap.test.ts\nx\n', ''])
    },
  )

  it('throws on limits that make no sense', () => {
    expect(() => sandbox.spawn({ ...settings, command: 'a', args: [], limits: { processes: 0 } })).toThrow(
      'processes',
    )
  })

  it.skipIf(!groups || perl)('tells that memory ran out, also in a child', async () => {
    const hog = `perl -e '$x = "a" x (256 << 20)'`
    const limits = { memoryBytes: 64 * MiB }
    expect((await shell(`exec ${hog}`, limits)).exit).toMatchObject({
      signal: 'SIGKILL',
      reason: 'out-of-memory',
    })
    expect((await shell(`${hog}; exit 5`, limits)).exit).toMatchObject({ code: 5, reason: 'out-of-memory' })
    const survived = await shell(`${hog}; echo on`, limits)
    expect(survived.exit).toMatchObject({
      code: 0,
      reason: 'exit',
      message: expect.stringContaining('1 of the'),
    })
  })

  it('starts on the main thread only', async () => {
    const source = `import { createBubblewrapSandbox } from ${JSON.stringify(new URL('./bubblewrap-sandbox.ts', import.meta.url).href)}
      import { parentPort } from 'node:worker_threads'
      try { createBubblewrapSandbox().spawn({ command: 'true', args: [], cwd: '/', env: {}, mounts: [] }) }
      catch (error) { parentPort.postMessage(error.message) }`
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
    const message = await new Promise((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    )
    expect(message).toContain('main thread')
    await worker.terminate()
  })
})

/** An ordinary user that every system has. */
const NOBODY = 65534

function reachableForNobody(path: string): boolean {
  const test = spawnSync('/bin/sh', ['-c', `test -r '${path}'`], { uid: NOBODY, gid: NOBODY })
  return test.status === 0
}

const asNobody =
  process.getuid?.() !== 0
    ? 'these tests already run as an ordinary user'
    : [process.execPath, DRIVER_PROGRAM].every(reachableForNobody)
      ? undefined
      : 'an ordinary user can’t read this directory'

describe.skipIf(asNobody)(`bubblewrap driven by an ordinary user${asNobody ? ` (${asNobody})` : ''}`, () => {
  let workspace: string
  beforeEach(() => {
    workspace = realpathSync(mkdtempSync(join(tmpdir(), 'berth-user-')))
    chownSync(workspace, NOBODY, NOBODY)
  })
  afterEach(() => rmSync(workspace, { recursive: true }))

  const run = (script: string, limits = {}) => {
    const command = {
      command: '/bin/sh',
      args: ['-c', script],
      cwd: workspace,
      env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` },
      mounts: [
        { path: workspace, mode: 'rw' },
        { path: dirname(process.execPath), mode: 'ro' },
      ],
      limits,
    }
    const module = new URL('../index.ts', import.meta.url).href
    const args = [DRIVER_PROGRAM, module, 'createBubblewrapSandbox', '{}', JSON.stringify(command)]
    const driver = spawnSync(process.execPath, args, {
      uid: NOBODY,
      gid: NOBODY,
      env: { PATH: '/usr/bin:/bin' },
      encoding: 'utf8',
    })
    return JSON.parse(driver.stdout || JSON.stringify({ err: driver.stderr }))
  }

  it('makes files that belong to that user', () => {
    expect(run('id -u; echo x >made')).toMatchObject({ exit: { code: 0 }, out: '1000\n' })
    expect(statSync(join(workspace, 'made')).uid).toBe(NOBODY)
  })

  it('limits the number of processes', () => {
    const { out, err } = run(
      'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do sleep 5 & done; echo ESCAPED',
      { processes: 12 },
    )
    expect(out).toBe('')
    expect(err).toContain('fork')
  })

  it.skipIf(perl)('limits the memory of one process', () => {
    expect(
      run(`perl -e '$n = 256 << 20; $x = "a" x $n; print "ESCAPED"'`, { memoryBytes: 64 * MiB }).out,
    ).toBe('')
  })

  it.skipIf(perl)('ends a sandbox whose processes use too much memory together', () => {
    const hog = `perl -e '$n = 90 << 20; $x = "a" x $n; sleep 100'`
    const { exit } = run(`${hog} & ${hog} & ${hog} & wait`, { memoryBytes: 250 * MiB, wallClockMs: 20_000 })
    expect(exit).toMatchObject({ reason: 'out-of-memory' })
  })
})

describe('readStatusLine', () => {
  const empty = { init: undefined, exitCode: undefined }
  it.each([
    ['{ "child-pid": 7, "net-namespace": 1 }', { init: 7, exitCode: undefined }],
    ['{ "exit-code": 0 }', { init: undefined, exitCode: 0 }],
    ['{ "exit-code": "0" }', empty],
    ['null', empty],
    ['{', empty],
    ['', empty],
  ])('reads %s', (line, expected) => {
    expect(readStatusLine(empty, line)).toEqual(expected)
  })
})

it.each([
  ['bubblewrap 0.8.0\n', [0, 8]],
  ['bubblewrap 1.12', [1, 12]],
  ['true (GNU coreutils) 9.1', undefined],
  ['', undefined],
])('parseVersion(%j)', (text, expected) => {
  expect(parseVersion(text)).toEqual(expected)
})
