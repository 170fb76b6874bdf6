import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Runtime } from '@berth/runtime'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { belongings } from './belongings.ts'
import { type LocalHarness, makeLocalHarness, scriptedRunner } from './fixtures/local-harness.ts'
import { eventually, makeSpec } from './fixtures/specs.ts'
import { processTable, readBootId } from './process-table.ts'
import { RunFiles } from './run-files.ts'

let harness: LocalHarness
let runtime: Runtime

beforeEach(async () => {
  harness = await makeLocalHarness()
  runtime = await harness.open()
})

afterEach(async () => {
  await runtime.close()
  await harness.dispose()
})

const begun = (session: string) =>
  eventually(
    'the start',
    async () => (await harness.starts(session)).length > 0 && (await harness.starts(session)),
  )

const recordOf = async (session: string) => {
  const record = await new RunFiles(harness.directory, session).record()
  if (!record) throw new Error('no record')
  return record
}

/** Everything of the session that lives: supervisor, log pump, runner, what it started. */
const living = async (session: string) => {
  const place = { table: processTable, boot: await readBootId() }
  return belongings(new RunFiles(harness.directory, session), await recordOf(session), place)
}

const ended = (session: string) =>
  eventually('the end', async () => {
    const seen = await runtime.observe(session)
    return seen.state === 'ended' && seen
  })

const readText = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

/** A runtime whose runner is a shell program that gets `$1` as its first argument. */
const openShell = (program: string, argument = '') =>
  harness.openWith({ command: ['/bin/sh', '-c', program, 'runner', argument], logLimitBytes: 64 * 1024 })

describe('what a runner gets', () => {
  test('its environment is exactly what the options and the spec say', async () => {
    const bare = await harness.openWith({ baseEnv: { NODE_OPTIONS: '--no-warnings', LANG: 'C' } })
    const spec = makeSpec()
    await bare.ensure(spec)
    const [environment] = await begun(spec.session)
    const session = join(harness.directory, spec.session)
    expect(environment).toEqual({
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: join(session, 'run'),
      LANG: 'C',
      NODE_OPTIONS: '--no-warnings',
      BERTH_BACKEND_URL: spec.backendUrl,
      BERTH_SESSION: spec.session,
      BERTH_PROJECT: 'default',
      BERTH_GENERATION: '1',
      BERTH_RUNNER_TOKEN: spec.token,
      BERTH_SESSION_DIR: session,
      BERTH_MEMORY_BYTES: '268435456',
      BERTH_PROCESSES: '64',
      BERTH_MILLI_CPUS: '1500',
      BERTH_TEST_BEHAVIOUR: 'serve',
    })
    await bare.close()
  })

  test('the token is on no command line and in no file', async () => {
    const shell = await openShell('echo ready; exec sleep 1000')
    const spec = makeSpec()
    await shell.ensure(spec)
    const directory = join(harness.directory, spec.session, 'run')
    await eventually('the log', async () => readText(join(directory, 'runner.log')) === 'ready\n')
    expect((await living(spec.session)).length).toBeGreaterThanOrEqual(3)
    const commandLines = execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
    expect(commandLines).toContain('supervises one runner')
    expect(commandLines).not.toContain(spec.token)
    for (const name of readdirSync(directory))
      expect(readFileSync(join(directory, name), 'utf8')).not.toContain(spec.token)
    await shell.close()
  })

  test('names and values that cannot be passed are refused', async () => {
    const refused: Record<string, string>[] = [{ 'A=B': '' }, { 'a b': '' }, { '': '' }, { BERTH_X: 'a\0b' }]
    for (const env of refused)
      await expect(runtime.ensure(makeSpec('serve', { env }))).rejects.toMatchObject({ reason: 'forbidden' })
  })

  test('data is never taken for code', async () => {
    const canary = join(harness.directory, 'canary')
    const nasty = `'; touch ${canary}; echo "$(touch ${canary})\`touch ${canary}\` *`
    const shell = await openShell('[ "$1" = "$BERTH_PROJECT" ] && [ "$1" = "$BERTH_BACKEND_URL" ]', nasty)
    const spec = makeSpec('serve', { project: nasty, backendUrl: nasty })
    await shell.ensure(spec)
    expect(await ended(spec.session)).toMatchObject({ reason: 'exited' })
    expect(readdirSync(harness.directory)).not.toContain('canary')
    await shell.close()
  })
})

describe('the log', () => {
  test('stays below its limit under a flood, keeps the end, and slows nobody for ever', async () => {
    const shell = await openShell('yes flood | head -c 3000000; echo the last line; exit 9')
    const spec = makeSpec()
    const run = join(harness.directory, spec.session, 'run')
    let largest = 0
    const measure = () => {
      const sizes = ['runner.log', 'runner.log.1'].map(
        (name) => statSync(join(run, name), { throwIfNoEntry: false })?.size ?? 0,
      )
      for (const size of sizes) expect(size).toBeLessThanOrEqual(32 * 1024)
      largest = Math.max(largest, ...sizes)
    }
    await shell.ensure(spec)
    const seen = await eventually('the end', async () => {
      measure()
      const now = await shell.observe(spec.session)
      return now.state === 'ended' && now
    })
    measure()
    expect(largest).toBeGreaterThan(8 * 1024)
    expect(seen).toMatchObject({
      reason: 'crashed',
      exitCode: 9,
      message: expect.stringContaining('the last line'),
    })
    await shell.close()
  })

  test('shows a line as soon as it is written, and keeps that of the generation before', async () => {
    const shell = await openShell('echo "hello from $BERTH_GENERATION"; exec sleep 1000')
    const spec = makeSpec()
    const read = (name: string) => readText(join(harness.directory, spec.session, 'run', name))
    await shell.ensure(spec)
    await eventually('the line', async () => read('runner.log') === 'hello from 1\n')
    await shell.ensure({ ...spec, generation: 2 })
    await eventually('the line', async () => read('runner.log') === 'hello from 2\n')
    expect(read('runner.log.1')).toBe('hello from 1\n')
    await shell.close()
  })
})

describe('nothing is left behind', () => {
  // One child in the group, one in a session of its own, one that left the group and forgot its environment.
  const family =
    'trap "" TERM; sleep 1000 & setsid sleep 1000 & env -i /bin/sh -c "setsid sleep 1000" & touch "$BERTH_SESSION_DIR/up"; wait'

  test('stop ends everything that the runner started', async () => {
    const shell = await openShell(family)
    const spec = makeSpec()
    await shell.ensure(spec)
    const up = join(harness.directory, spec.session, 'up')
    await eventually('the family', async () => existsSync(up) && (await living(spec.session)).length >= 7)
    await shell.stop(spec.session, { graceMs: 20 })
    expect(await living(spec.session)).toEqual([])
    expect(await shell.observe(spec.session)).toMatchObject({ reason: 'killed', signal: 'SIGKILL' })
    await shell.close()
  })

  test('the group ends with its runner, also when no backend is there', async () => {
    const shell = await openShell('sleep 1000 & (trap "" TERM; sleep 1000) & kill -KILL $$')
    const spec = makeSpec()
    await shell.ensure(spec)
    await shell.close()
    await eventually('the end', async () => (await living(spec.session)).length === 0)
    expect(await runtime.observe(spec.session)).toMatchObject({ reason: 'killed', signal: 'SIGKILL' })
  })

  test('a supervisor that is killed is a lost runner, and what is left of it ends', async () => {
    const spec = makeSpec()
    await runtime.ensure(spec)
    await begun(spec.session)
    const hints: string[] = []
    runtime.watch((session) => void hints.push(session))
    process.kill((await recordOf(spec.session)).pid, 'SIGKILL')
    await eventually('a hint', async () => hints.includes(spec.session))
    const seen = await ended(spec.session)
    expect(seen).toMatchObject({ reason: 'lost' })
    await eventually('the end of the rest', async () => (await living(spec.session)).length === 0)
    expect(await runtime.observe(spec.session)).toEqual(seen)
  })

  test('a supervisor that is stopped (SIGSTOP) does not hold up stop', async () => {
    const spec = makeSpec()
    await runtime.ensure(spec)
    await begun(spec.session)
    process.kill((await recordOf(spec.session)).pid, 'SIGSTOP')
    await runtime.stop(spec.session, { graceMs: 10 })
    expect(await living(spec.session)).toEqual([])
    expect(await runtime.observe(spec.session)).toMatchObject({ reason: 'killed', signal: 'SIGKILL' })
  })
})

describe('records that can not be trusted', () => {
  test('a pid that now belongs to somebody else is left alone', async () => {
    const bystander = spawn('sleep', ['1000'], { detached: true })
    const spec = makeSpec('exit:0')
    await runtime.ensure(spec)
    await ended(spec.session)
    const files = new RunFiles(harness.directory, spec.session)
    const record = { ...(await recordOf(spec.session)), pid: bystander.pid, start: '1' }
    writeFileSync(files.path('runner.json'), JSON.stringify(record))
    writeFileSync(files.path('exit.json'), '')
    expect(await runtime.observe(spec.session)).toMatchObject({ state: 'ended', reason: 'lost' })
    await runtime.stop(spec.session, { graceMs: 0 })
    await runtime.ensure({ ...spec, generation: 2 })
    await runtime.remove(spec.session)
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
    bystander.kill('SIGKILL')
    await once(bystander, 'exit')
  })

  test('after a restart of the machine a runner is lost', async () => {
    const spec = makeSpec('exit:0')
    await runtime.ensure(spec)
    await ended(spec.session)
    const files = new RunFiles(harness.directory, spec.session)
    const self = await processTable.find(process.pid)
    writeFileSync(
      files.path('runner.json'),
      JSON.stringify({ ...(await recordOf(spec.session)), ...self, boot: 'earlier' }),
    )
    writeFileSync(files.path('exit.json'), '{"generation":')
    expect(await runtime.observe(spec.session)).toMatchObject({ reason: 'lost', generation: 1 })
  })

  test('an empty claim does not block the session', async () => {
    const spec = makeSpec('exit:0')
    await runtime.ensure(spec)
    await ended(spec.session)
    const files = new RunFiles(harness.directory, spec.session)
    writeFileSync(files.path('runner.json'), '')
    utimesSync(files.path('runner.json'), 1, 1)
    writeFileSync(files.path('exit.json'), '')
    expect(await runtime.observe(spec.session)).toMatchObject({ state: 'absent' })
    await runtime.ensure({ ...spec, generation: 2 })
    expect(await ended(spec.session)).toMatchObject({ reason: 'exited', generation: 2 })
  })
})

describe('a backend that dies or is not alone', () => {
  const backend = fileURLToPath(new URL('fixtures/mortal-backend.ts', import.meta.url))

  test.each([0, 300, 700, 1200, 2000, 3000, 5000, 8000])(
    'killed %i µs after it asked: one runner',
    async (delay) => {
      const spec = makeSpec()
      const dying = spawn(
        process.execPath,
        [backend, harness.directory, JSON.stringify(spec), String(delay), ...scriptedRunner],
        { stdio: 'ignore' },
      )
      await once(dying, 'exit')
      await runtime.ensure(spec)
      await begun(spec.session)
      expect(await runtime.observe(spec.session)).toMatchObject({ state: 'running', generation: 1 })
      await runtime.stop(spec.session, { graceMs: 60_000 })
      expect(await harness.starts(spec.session)).toHaveLength(1)
      expect(await living(spec.session)).toEqual([])
    },
  )

  test('two that ask at once get one runner', async () => {
    const others = await Promise.all([harness.open(), harness.open(), harness.open()])
    const spec = makeSpec()
    await Promise.all(others.map((other) => other.ensure(spec)))
    await begun(spec.session)
    await runtime.stop(spec.session, { graceMs: 60_000 })
    expect(await harness.starts(spec.session)).toHaveLength(1)
    for (const other of others) await other.close()
  })
})

describe('a full disk', () => {
  const canMount = (() => {
    try {
      execFileSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()
  const title = canMount
    ? 'is named in the error, and leaves nothing'
    : 'needs user namespaces to mount a small one'

  test.skipIf(!canMount)(title, () => {
    const script = fileURLToPath(new URL('fixtures/full-disk.ts', import.meta.url))
    const spec = makeSpec()
    const args = ['-rm', process.execPath, script, harness.directory, JSON.stringify(spec), ...scriptedRunner]
    const { full, onFull, again, onRoom } = JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }))
    expect(full).toMatchObject({ name: 'RuntimeError', reason: 'unavailable', retryable: true })
    expect(full.message).toMatch(/disk .* is full/)
    expect(onFull).toMatchObject({ state: 'absent' })
    expect(again).toBeUndefined()
    expect(onRoom).toMatchObject({ state: 'running' })
  })
})
