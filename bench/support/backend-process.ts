import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { startBackend } from '../../apps/backend/src/backend.ts'
import { createDirectoryBlobs } from '../../apps/backend/src/blobs/directory.ts'
import { openKeyRing } from '../../apps/backend/src/secrets/key-ring.ts'
import { type Capacity, unlimited } from '../../apps/backend/src/session/admission/capacity.ts'
import { createSqliteStore } from '../../apps/backend/src/store/sqlite/sqlite-store.ts'
import { createNoSandbox } from '../../packages/sandbox/src/none/no-sandbox.ts'
// Not by the package's name: its index brings fast-check along, which would count as the backend's memory.
import { createFakeRuntime } from '../../packages/testing/src/fake-runtime.ts'
import { seed } from './seed.ts'

/** A backend as the product's, but with runners that are only said to run. Told what to do over IPC. */
const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'))
const store = await createSqliteStore({ file: join(directory, 'berth.db') })
const token = 'bench'
const runtime = createFakeRuntime()
const tokens: Record<string, string> = {}
const ensure = runtime.ensure.bind(runtime)
runtime.ensure = async (spec) => {
  tokens[spec.session] = spec.token
  await ensure(spec)
}
const sessions = await seed(store, Number(process.env.BENCH_SESSIONS ?? 0))
const room = Number(process.env.BENCH_LIVE ?? Infinity)
const capacity: Capacity = { ...unlimited, sessions: room }
/** Launches in the order in which they were committed, and when the last one was, since room was made. */
const launched: string[] = []
const times = { opened: 0, last: 0 }
store.watch(({ session, lines }) => {
  if (lines?.some(({ json }) => json.includes('"type":"generation.started"')) !== true) return
  launched.push(session)
  times.last = performance.now()
})
const upstream = process.env.BENCH_UPSTREAM ?? 'http://127.0.0.1:9'
const backend = await startBackend({
  store,
  blobs: await createDirectoryBlobs({ directory: join(directory, 'blobs') }),
  runtime,
  source: { kind: async () => 'scripted', upstream: async () => ({ baseUrl: upstream, apiKey: 'k' }) },
  checkpoints: {
    directory: join(directory, 'checkpoints'),
    git: { path: process.env.PATH ?? '', home: directory, inherited: {} },
    sandbox: createNoSandbox(),
  },
  log: pino({ level: 'error' }),
  ownerToken: token,
  capacity,
  keys: await openKeyRing({ keysFile: undefined, dataDir: directory }),
  owner: { id: 'owner', name: 'Bench' },
  repositoryRoots: [],
  allowedHosts: [],
  git: { hosts: (process.env.BENCH_GIT_HOSTS ?? '').split(',').filter((host) => host !== '') },
  listen: { host: '127.0.0.1', port: 0, runnerHost: '127.0.0.1', runnerPort: 0 },
})

process.on('message', async (question: string) => {
  if (question === 'tokens') process.send?.(tokens)
  if (question === 'room') {
    Object.assign(capacity, { sessions: Infinity })
    launched.length = 0
    times.opened = performance.now()
    process.send?.('made')
  }
  if (question === 'launched')
    process.send?.({ sessions: launched, ms: times.last - times.opened, started: runtime.starts.length })
  if (question === 'rss') {
    globalThis.gc?.()
    process.send?.(process.memoryUsage().rss)
  }
})
process.on('disconnect', async () => {
  await backend.close()
  await rm(directory, { recursive: true, force: true })
  process.exit(0)
})
process.send?.({ url: backend.url, runnerUrl: backend.runnerUrl, token, sessions })
