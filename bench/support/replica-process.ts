import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunnerObservation, Runtime } from '@berth/runtime'
import { pino } from 'pino'
import { startBackend } from '../../apps/backend/src/backend.ts'
import { createDirectoryBlobs } from '../../apps/backend/src/blobs/directory.ts'
import { openKeyRing } from '../../apps/backend/src/secrets/key-ring.ts'
import { createPostgresStore } from '../../apps/backend/src/store/postgres/postgres-store.ts'
import { createNoSandbox } from '../../packages/sandbox/src/none/no-sandbox.ts'

/** One of several backends as the product's, but with runners that are only said to run, in files that all of them read. */
const [directory = '', url = ''] = process.argv.slice(2)
const runners = join(directory, 'runners')
await mkdir(runners, { recursive: true })

const observe = async (session: string): Promise<RunnerObservation> => {
  const text = await readFile(join(runners, session), 'utf8').catch(() => undefined)
  if (text === undefined) return { state: 'absent', session }
  return { state: 'running', session, generation: JSON.parse(text).generation, startedAt: 0 }
}

const runtime: Runtime = {
  kind: 'fake',
  ensure: ({ session, generation, token }) =>
    writeFile(join(runners, session), JSON.stringify({ generation, token })),
  observe,
  stop: async () => undefined,
  list: async () => Promise.all((await readdir(runners)).map(observe)),
  remove: async () => undefined,
  removeProject: async () => undefined,
  projects: async () => [],
  watch: () => () => undefined,
  close: async () => undefined,
}

const backend = await startBackend({
  store: await createPostgresStore({ url }),
  blobs: await createDirectoryBlobs({ directory: join(directory, 'blobs') }),
  runtime,
  source: { kind: async () => 'scripted', upstream: async () => undefined },
  checkpoints: {
    directory: join(directory, `checkpoints-${process.pid}`),
    git: { path: process.env.PATH ?? '', home: directory, inherited: {} },
    sandbox: createNoSandbox(),
  },
  log: pino({ level: 'error' }),
  ownerToken: 'bench',
  keys: await openKeyRing({ keysFile: undefined, dataDir: directory }),
  owner: { id: 'owner', name: 'Bench' },
  repositoryRoots: [],
  allowedHosts: [],
  listen: { host: '127.0.0.1', port: 0, runnerHost: '127.0.0.1', runnerPort: 0 },
})

process.on('disconnect', async () => {
  await backend.close()
  process.exit(0)
})
process.send?.({ url: backend.url, runnerUrl: backend.runnerUrl })
