import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@berth/client'
import type { AnyEvent, SessionSummary } from '@berth/contract'

/** Where all tests run, the bundles that images run too: they start in half the time. */
const backendMain = fileURLToPath(
  new URL(
    process.env.BERTH_TEST_PROGRAMS === 'bundles'
      ? '../../dist/backend/main.js'
      : '../../apps/backend/src/main.ts',
    import.meta.url,
  ),
)

/** A backend process with its data directory, as a user would run it. */
export interface World {
  dataDir: string
  url: string
  client: Client
  pid: number
  /** Everything that the backend logged. */
  log: string[]
  /** Ends the backend: gracefully, or by kill -9. Its runners go on. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  /** Starts the backend again on the same data and ports. */
  start(env?: Record<string, string>): Promise<void>
  /** Follows a session until the condition holds, and gives what was read. Rejects after a while, with the events. */
  until(
    session: string,
    condition: (event: AnyEvent) => boolean,
    options?: { after?: number },
  ): Promise<AnyEvent[]>
  /** Reads a session's summary until the condition holds. */
  settled(session: string, condition: (summary: SessionSummary) => boolean): Promise<SessionSummary>
  /** The whole log. */
  events(session: string): Promise<AnyEvent[]>
  /** The process id of a session's runner. */
  runnerPid(session: string): Promise<number>
}

export const project = 'default'

const patienceMs = 60_000

/** A port that is free now, for a backend that has to come back on it. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Waits until a condition gives something; rejects with `what` after a minute. */
export const eventually = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
  const end = Date.now() + patienceMs
  while (Date.now() < end) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`This did not happen within ${patienceMs / 1000} s: ${what}`)
}

/** Starts a world, gives it to the test, and takes everything away again: backend, runners, files. */
export const withWorld = async (
  test: (world: World) => Promise<void>,
  env: Record<string, string> = {},
  /** Where the data directory is made. */
  parent = tmpdir(),
): Promise<void> => {
  const dataDir = await mkdtemp(join(parent, 'berth-test-'))
  const world = await createWorld(dataDir, env)
  try {
    await test(world)
  } catch (error) {
    const lines = world.log.slice(-40).join('\n')
    throw new Error(
      `${error instanceof Error ? error.message : String(error)}\n\nThe backend's log:\n${lines}`,
      {
        cause: error,
      },
    )
  } finally {
    await world.stop('SIGTERM')
    await endRunners(dataDir)
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

/** Starts a backend process and waits until it is ready. What it writes is added to `log`. */
export const startBackend = async (env: Record<string, string>, log: string[]): Promise<ChildProcess> => {
  const started = spawn(process.execPath, [backendMain], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      BERTH_REPOSITORY_ROOTS: tmpdir(),
      NODE_COMPILE_CACHE: join(tmpdir(), 'berth-test-cache'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.stderr.on('data', (chunk) => log.push(String(chunk)))
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: started.stdout }).on('line', (line) => {
      log.push(line)
      if (line.includes('Berth is ready')) resolve()
    })
    started.once('exit', (code) =>
      reject(new Error(`The backend ended with ${code}: ${log.slice(-5).join('\n')}`)),
    )
  })
  return started
}

/** Ends a backend, unless it has ended; its exit code. */
export const stopBackend = async (
  child: ChildProcess | undefined,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<number | null> => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null
  const ended = once(child, 'exit')
  child.kill(signal)
  const [code] = (await ended) as [number | null]
  return code
}

const createWorld = async (dataDir: string, env: Record<string, string>): Promise<World> => {
  const ports = { BERTH_PORT: String(await freePort()), BERTH_RUNNER_PORT: String(await freePort()) }
  const log: string[] = []
  let child: ChildProcess | undefined

  const start = async (more: Record<string, string> = {}) => {
    const started = await startBackend({ BERTH_DATA_DIR: dataDir, ...ports, ...env, ...more }, log)
    // Only one that is up is ours to stop: a second one that refuses has ended by itself.
    child = started
    world.pid = started.pid ?? 0
    const token = (await readFile(join(dataDir, 'owner-token'), 'utf8')).trim()
    world.url = `http://127.0.0.1:${ports.BERTH_PORT}`
    world.client = createClient({ baseUrl: world.url, token })
  }

  const stop = (signal?: 'SIGTERM' | 'SIGKILL') => stopBackend(child, signal)

  const world: World = {
    dataDir,
    url: '',
    client: createClient({ baseUrl: '' }),
    pid: 0,
    log,
    start,
    stop,
    ...looksOf(() => world),
  }
  await start()
  return world
}

/** How a world is looked at. */
export const looksOf = (
  world: () => Pick<World, 'client' | 'dataDir'>,
): Pick<World, 'until' | 'settled' | 'events' | 'runnerPid'> => ({
  until: (session, condition, options) => until(world(), session, { condition, ...options }),
  settled: (session, condition) =>
    eventually(`the condition on ${session}`, async () => {
      const summary = await world().client.getSession({ params: { project, session } })
      return condition(summary) ? summary : undefined
    }),
  events: (session) => readLog(world().client, session),
  runnerPid: async (session) => {
    const file = join(world().dataDir, 'sessions', session, 'run', 'runner.json')
    return (JSON.parse(await readFile(file, 'utf8')) as { pid: number }).pid
  },
})

const until = async (
  { client }: Pick<World, 'client'>,
  session: string,
  { condition, after = 0 }: { condition: (event: AnyEvent) => boolean; after?: number },
): Promise<AnyEvent[]> => {
  const seen: AnyEvent[] = []
  const signal = AbortSignal.timeout(patienceMs)
  try {
    for await (const event of client.events(project, session, { after, signal })) {
      seen.push(event)
      if (condition(event)) return seen
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  const last = seen
    .slice(-15)
    .map((event) => `${event.seq} ${event.type} ${JSON.stringify(event.data).slice(0, 300)}`)
  throw new Error(`The event that the test waits for did not come. The last ones:\n${last.join('\n')}`)
}

const readLog = async (client: Client, session: string): Promise<AnyEvent[]> => {
  const events: AnyEvent[] = []
  for await (const event of client.events(project, session, { follow: false })) events.push(event)
  return events
}

/** Ends what the tests left running, found by its records in the data directory. */
export const endRunners = async (dataDir: string): Promise<void> => {
  const sessions = await readdir(join(dataDir, 'sessions')).catch(() => [])
  for (const session of sessions) {
    const file = join(dataDir, 'sessions', session, 'run', 'runner.json')
    const record = await readFile(file, 'utf8').catch(() => undefined)
    if (record === undefined) continue
    const { pid } = JSON.parse(record) as { pid: number }
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
}
