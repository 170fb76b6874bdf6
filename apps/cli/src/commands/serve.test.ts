import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../run-cli.ts'
import { testContext } from '../test-context.ts'
import { startFakeBackend } from '../test-server.ts'
import { serveEnv } from './serve.ts'

let dir: string
let port: number
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'berth-serve-'))
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  port = (probe.address() as AddressInfo).port
  await new Promise((resolve) => probe.close(resolve))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** Programs that stand for backend and runner. The backend imports the fake and plays a turn for each prompt. */
const programs = async (tail: string) => {
  const server = join(import.meta.dirname, '..', 'test-server.ts')
  const backend = join(dir, 'backend.mjs')
  const runner = join(dir, 'runner.mjs')
  const sample = join(dir, 'sample')
  await mkdir(sample)
  await writeFile(join(sample, 'package.json'), '{"name":"pocket"}')
  await writeFile(
    backend,
    `import { startFakeBackend, playTurn } from ${JSON.stringify(server)}
const fake = await startFakeBackend(Number(process.env.BERTH_PORT))
fake.onPrompt = (session, prompt, seq) => playTurn(fake, { session, prompt, seq })
fake.answers.getChanges = { repositories: [] }
${tail}`,
  )
  await writeFile(runner, `console.log('{"sandbox":"bubblewrap","ok":true,"detail":"bubblewrap works"}')`)
  return { backend, runner, sample }
}

describe('berth serve', () => {
  test('starts the backend, says how to go on, runs the demo once, and ends with the backend', async () => {
    const stop = `const requests = fake.requests
requests.push = (line) => (line === 'GET /stop' ? process.exit(0) : Array.prototype.push.call(requests, line))`
    const context = testContext('http://unused', {
      env: { ...process.env, BERTH_DATA_DIR: join(dir, 'data') },
      programs: await programs(stop),
    })
    const done = runCli(['serve', '--demo', '--port', String(port)], context)
    await context.written('when something does not work')
    expect(context.stdout()).toContain(`address  http://127.0.0.1:${port}`)
    expect(context.stdout()).toContain(`http://127.0.0.1:${port}/login?ticket=abc`)
    expect(context.stdout()).toContain('scripted model: written answers, no real one')
    expect(context.stdout()).toContain('sandbox  bubblewrap works')
    expect(context.stdout()).toContain('› Fix the failing test')
    expect(context.stdout()).toContain('✓ done in 1.2 s')
    expect(await readFile(join(dir, 'data', 'demo-done'), 'utf8')).toMatch(/^ses_/)
    expect((await stat(join(dir, 'data'))).mode & 0o077).toBe(0)
    await fetch(`http://127.0.0.1:${port}/stop`).catch(() => undefined)
    expect(await done).toBe(0)
  })

  test('passes the exit code of a backend that can’t start on', async () => {
    const context = testContext('http://unused', {
      env: { ...process.env, BERTH_DATA_DIR: dir },
      programs: await programs('process.exit(9)'),
    })
    expect(await runCli(['serve', '--port', String(port)], context)).toBe(9)
    expect(context.stderr()).toContain('The backend ended with exit code 9')
  })

  test('refuses an address where something answers', async () => {
    const other = await startFakeBackend(port)
    const context = testContext('http://unused', { env: { ...process.env, BERTH_DATA_DIR: dir } })
    expect(await runCli(['serve', '--port', String(port)], context)).toBe(6)
    expect(context.stderr()).toContain('already. Stop it, or take another port')
    await other.close()
  })
})

test('the backend’s environment follows the options', () => {
  const { err } = testContext('http://unused')
  const env = serveEnv({ env: { BERTH_URL: 'http://elsewhere' }, err }, { port: 8000, dataDir: '/srv/b' })
  expect(env).toMatchObject({
    BERTH_PORT: '8000',
    BERTH_RUNNER_PORT: '8001',
    BERTH_DATA_DIR: '/srv/b',
    BERTH_LOG_LEVEL: 'info',
  })
  expect(env.BERTH_URL).toBeUndefined()
})
