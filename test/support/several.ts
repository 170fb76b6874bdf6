import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@berth/client'
import { type Postgres, startPostgres } from '@berth/testing'
import { roundRobin } from './round-robin.ts'
import { endRunners, eventually, freePort, looksOf, startBackend, stopBackend, type World } from './world.ts'

/** One of several backend processes. */
export interface Replica {
  /** Talks with this one. */
  client: Client
  url: string
  log: string[]
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  /** Does nothing while it runs. */
  start(): Promise<void>
}

/** Several backends over one PostgreSQL, one directory of blobs and one of sessions, with a proxy in front. */
export interface Several
  extends Pick<World, 'client' | 'dataDir' | 'until' | 'settled' | 'events' | 'runnerPid'> {
  replicas: [Replica, Replica]
  /** The address of all, and the client that talks with it. */
  url: string
  postgres: Postgres
  /** Takes everything away again: backends, runners, database, files. */
  dispose(): Promise<void>
}

const token = 'brt_owner_of-several-backends-in-a-test'

export const startSeveral = async (env: Record<string, string> = {}): Promise<Several> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-several-'))
  const postgres = await startPostgres({ durable: true })
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const [api, runners] = [await roundRobin(ports.slice(0, 2)), await roundRobin(ports.slice(2))]
  await writeFile(join(dataDir, 'owner-token'), token, { mode: 0o600 })
  const shared = {
    BERTH_DATA_DIR: dataDir,
    BERTH_DATABASE_URL: await postgres.createDatabase(),
    BERTH_RUNNER_URL: runners.url,
    BERTH_DRAIN_SECONDS: '3',
    ...env,
  }
  const replica = (index: 0 | 1): Replica =>
    makeReplica({ ...shared, BERTH_PORT: `${ports[index]}`, BERTH_RUNNER_PORT: `${ports[index + 2]}` })
  const replicas: Several['replicas'] = [replica(0), replica(1)]
  const several: Several = {
    ...{ dataDir, replicas, postgres, url: api.url },
    client: createClient({ baseUrl: api.url, token }),
    ...looksOf(() => several),
    dispose: async () => {
      await Promise.all(replicas.map((one) => one.stop('SIGKILL')))
      await endRunners(dataDir)
      await Promise.all([api.close(), runners.close(), postgres.stop()])
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    },
  }
  try {
    await Promise.all(replicas.map((one) => one.start()))
  } catch (error) {
    await several.dispose()
    throw error
  }
  return several
}

/** What the backends logged last, for the message of a test that fails. */
export const logsOf = ({ replicas }: Several): string =>
  replicas.map(({ log }, index) => `Backend ${index}:\n${log.slice(-30).join('\n')}`).join('\n\n')

const makeReplica = (env: Record<string, string> & { BERTH_PORT: string }): Replica => {
  const log: string[] = []
  const url = `http://127.0.0.1:${env.BERTH_PORT}`
  let child: ChildProcess | undefined
  return {
    ...{ url, log },
    client: createClient({ baseUrl: url, token }),
    stop: (signal) => stopBackend(child, signal),
    start: async () => {
      if (child?.exitCode === null && child.signalCode === null) return
      child = await startBackend(env, log)
    },
  }
}

/** Waits until both backends answer. */
export const bothReady = ({ replicas }: Several): Promise<true> =>
  eventually('both backends to be ready', async () => {
    const answers = replicas.map(({ url }) => fetch(`${url}/readyz`).then(({ ok }) => ok))
    return (await Promise.all(answers).catch(() => [false])).every(Boolean) || undefined
  })
