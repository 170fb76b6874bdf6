import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fact, makeId, type RunnerFactBody, type SessionSummary } from '@berth/contract'
import type { Clock, RunnerSpec } from '@berth/runtime'
import { createBubblewrapSandbox } from '@berth/sandbox'
import { createFakeRuntime, type FakeRuntime } from '@berth/testing'
import { type Backend, type BackendParts, startBackend } from './backend.ts'
import { createDirectoryBlobs } from './blobs/directory.ts'
import { createLog } from './observe/create-log.ts'
import { openKeyRing } from './secrets/key-ring.ts'
import { KnownValues } from './secrets/known-values.ts'
import { createSqliteStore } from './store/sqlite/sqlite-store.ts'

export const ownerToken = 'brt_owner_test-token-that-is-long-enough'
export const modelKey = 'sk-test-CANARY-model-key'

/** A JSON answer: status, headers and the parsed body. */
export interface Answer<T = Record<string, unknown>> {
  status: number
  headers: Headers
  body: T
}

export interface CallOptions {
  method?: string
  body?: unknown
  token?: string | null
  headers?: Record<string, string>
}

/** A backend with SQLite, blobs in a directory and runners that are only said to run, and handles for tests. */
export interface TestBackend extends Backend {
  parts: BackendParts
  runtime: FakeRuntime
  directory: string
  /** Everything that was logged. */
  log: string[]
  /** What the next start takes instead of the parts of its own. */
  overrides: Partial<BackendParts>
  /** Calls the API as the owner, or with another token; `null`: without. */
  call<T = Record<string, unknown>>(path: string, options?: CallOptions): Promise<Answer<T>>
  /** Calls the runners' port. */
  callRunner<T = Record<string, unknown>>(
    token: string,
    path: string,
    options?: CallOptions,
  ): Promise<Answer<T>>
  /** Creates a session in the project `default`. */
  session(body?: object): Promise<SessionSummary>
  summary(session: string): Promise<SessionSummary>
  /** The spec of the session's last runner, as soon as there is one. */
  spec(session: string, generation?: number): Promise<RunnerSpec>
  /** Posts facts as the session's runner, numbered from `from`. */
  facts(spec: RunnerSpec, from: number, ...facts: RunnerFactBody[]): Promise<Answer<{ n: number }>>
  /** A session whose agent is ready. */
  idleSession(body?: object): Promise<{ session: string; spec: RunnerSpec }>
  /** Ends the backend and starts another over the same data and runners. */
  restart(wrap?: (parts: BackendParts) => Partial<BackendParts>): Promise<void>
  /** Closes it and removes its directory. */
  dispose(): Promise<void>
}

const patienceMs = 20_000

/** Waits until a condition gives something; rejects with `what` after a while. */
export const eventually = async <T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> => {
  const end = Date.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > end) throw new Error(`This did not happen within ${patienceMs / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Starts a backend, gives it to the test, and takes everything away again. */
export const withBackend = async (
  test: (backend: TestBackend) => Promise<void>,
  overrides: Partial<BackendParts> & { clock?: Clock } = {},
): Promise<void> => {
  const backend = await createTestBackend(overrides)
  try {
    await test(backend)
  } finally {
    await backend.dispose()
  }
}

/** As `withBackend`, for a suite that shares one: the caller disposes of it. */
export const createTestBackend = async (overrides: Partial<BackendParts> = {}): Promise<TestBackend> => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-backend-'))
  const runtime = createFakeRuntime({ clock: overrides.clock })
  const log: string[] = []
  const known = new KnownValues()
  const open = async (): Promise<BackendParts> => ({
    store: await createSqliteStore({ file: join(directory, 'berth.db') }),
    blobs: await createDirectoryBlobs({ directory: join(directory, 'blobs') }),
    runtime: runtime.reopen(),
    source: { kind: async () => 'scripted', upstream: async () => undefined },
    checkpoints: {
      directory: join(directory, 'checkpoints'),
      git: { path: process.env.PATH ?? '', home: directory, inherited: {} },
      sandbox: createBubblewrapSandbox(),
    },
    log: createLog({ level: 'trace', known }, { write: (line: string) => void log.push(line) }),
    known,
    ownerToken,
    keys: await openKeyRing({ keysFile: undefined, dataDir: directory }),
    owner: { id: 'owner', name: 'Test' },
    // Tests of the way in try more than people do.
    freeFailures: 100_000,
    repositoryRoots: [join(directory, 'repositories')],
    privateHosts: ['*'],
    allowedHosts: [],
    listen: { host: '127.0.0.1', port: 0, runnerHost: '127.0.0.1', runnerPort: 0 },
    checkAnswers: true,
    drainMs: 3000,
    ...overrides,
  })
  const parts = await open()
  const started = await startBackend(parts)
  const backend: TestBackend = {
    ...started,
    ...helpers(() => backend),
    parts,
    runtime,
    directory,
    log,
    overrides,
    dispose: async () => {
      await backend.close()
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
    restart: async (wrap = () => ({})) => {
      await backend.close()
      backend.parts = await open()
      try {
        Object.assign(backend, await startBackend({ ...backend.parts, ...wrap(backend.parts) }))
      } catch (error) {
        await backend.parts.store.close()
        throw error
      }
    },
  }
  return backend
}

type Helpers = Pick<
  TestBackend,
  'call' | 'callRunner' | 'session' | 'summary' | 'spec' | 'facts' | 'idleSession'
>

const helpers = (self: () => TestBackend): Helpers => {
  const sessions = '/api/projects/default/sessions'
  return {
    call: (path, { token = ownerToken, ...options } = {}) =>
      ask(`${self().url}${path}`, { ...options, token }),
    callRunner: (token, path, options = {}) => ask(`${self().runnerUrl}${path}`, { ...options, token }),
    session: async (body = {}) => {
      const { status, body: summary } = await self().call<SessionSummary>(sessions, { body })
      if (status !== 201) throw new Error(`The session was not created: ${JSON.stringify(summary)}`)
      return summary
    },
    summary: async (session) => (await self().call<SessionSummary>(`${sessions}/${session}`)).body,
    spec: (session, generation = 1) =>
      eventually(`generation ${generation} of ${session}`, () =>
        self().runtime.starts.findLast((spec) => spec.session === session && spec.generation >= generation),
      ),
    facts: (spec, from, ...list) => {
      const facts = list.map((body, i) => ({ n: from + i, at: new Date().toISOString(), ...body }) as Fact)
      const body = { generation: spec.generation, facts }
      return self().callRunner(spec.token, '/runner/facts', { body })
    },
    idleSession: async (body) => {
      const { id: session } = await self().session(body)
      const spec = await self().spec(session)
      await self().facts(spec, 1, ...ready)
      return { session, spec }
    },
  }
}

/** What a runner says until its agent is ready. */
export const ready: RunnerFactBody[] = [
  { type: 'runner.started', data: { version: '1', sandbox: 'none' } },
  { type: 'agent.ready', data: { model: 'scripted' } },
]

const ask = async <T>(url: string, options: CallOptions): Promise<Answer<T>> => {
  const { body, token, method = body === undefined ? 'GET' : 'POST' } = options
  const headers: Record<string, string> = { ...options.headers }
  if (typeof token === 'string') headers.authorization ??= `Bearer ${token}`
  if (body !== undefined) headers['content-type'] ??= 'application/json'
  const raw = typeof body === 'string' || body instanceof Uint8Array || body === undefined
  const response = await fetch(url, {
    method,
    headers,
    body: raw ? (body as string | undefined) : JSON.stringify(body),
    redirect: 'manual',
  })
  const text = await response.text()
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  }
}

/** An HTTP server for the time of a test. */
export const withServer = async <T>(
  handler: RequestListener,
  use: (url: string) => Promise<T>,
): Promise<T> => {
  const server = createServer(handler)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

let made = 0
/** An id that nothing has. */
export const someId = (kind: Parameters<typeof makeId>[0]): string =>
  makeId(
    kind,
    Date.UTC(2020, 0, 1),
    Uint8Array.from({ length: 10 }, (_, i) => (i === 9 ? made++ : i) & 0xff),
  )
