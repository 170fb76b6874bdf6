import { randomBytes, randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { type System, isBerthError } from '@berth/contract'
import { type Clock, type Runtime, systemClock } from '@berth/runtime'
import type { Logger } from 'pino'
import { createApp, createRunnerApp } from './app.ts'
import { Authenticator } from './auth/authenticator.ts'
import type { BlobStore } from './blobs/port.ts'
import { Tail } from './events/tail.ts'
import { Gateway } from './gateway/gateway.ts'
import type { ModelSource } from './gateway/model-source.ts'
import type { Deps } from './http/deps.ts'
import { changeJson, resetLine } from './http/events.ts'
import { Streams } from './http/stream.ts'
import { createMetrics } from './observe/metrics.ts'
import { startHousekeeping } from './session/housekeeping.ts'
import { ReconcileLoop } from './session/loop.ts'
import { timing } from './session/plan.ts'
import { Reconciler } from './session/reconcile.ts'
import { repositoryPolicy } from './session/repository-policy.ts'
import { SessionService } from './session/service.ts'
import type { Store } from './store/port.ts'
import { version } from './version.ts'

/** The parts that differ between a laptop and a cluster, and between the product and its tests. */
export interface BackendParts {
  store: Store
  blobs: BlobStore
  runtime: Runtime
  source: ModelSource
  log: Logger
  ownerToken: string
  owner: { id: string; name: string }
  repositoryRoots: readonly string[]
  allowedHosts: readonly string[]
  listen: { host: string; port: number; runnerHost: string; runnerPort: number }
  /** Where runners find the runners' port. Default: its address on this machine. */
  runnerUrl?: string
  /** Default: the system's. */
  clock?: Clock
  /** Checks every answer against its schema. Default: false. */
  checkAnswers?: boolean
}

export interface Backend {
  url: string
  runnerUrl: string
  /** Tells readers to reconnect, finishes what is under way, and closes the parts. Runners go on. */
  close(): Promise<void>
}

/** Puts the backend together and starts it. */
export const startBackend = async (parts: BackendParts): Promise<Backend> => {
  const { store, blobs, runtime, source, log, clock = systemClock, listen } = parts
  const state = { ready: false }
  const random = (bytes: number) => randomBytes(bytes)
  const now = () => clock.now()
  await seedProject(store, now())
  const { events, changes } = tails(store)
  const streams = new Streams()
  const service = new SessionService({ store, blobs, now, random, wake: (session) => loop.wake(session) })
  const gateway = new Gateway({ source, service, store, now, log })
  const metrics = createMetrics({
    stats: () => store.stats(),
    tails: () => ({ bytes: events.stats.bytes + changes.stats.bytes, readers: events.stats.readers }),
    streams: () => streams.count,
  })
  const owner = { actor: { kind: 'user' as const, ...parts.owner }, platformAdmin: true, roles: {} }
  const deps: Deps = {
    store,
    blobs,
    service,
    events,
    changes,
    streams,
    gateway,
    metrics,
    log,
    now,
    authenticator: new Authenticator({ store, ownerToken: parts.ownerToken, owner, now, random }),
    system: () => systemOf(runtime, source),
    checkRepository: repositoryPolicy(parts.repositoryRoots),
    allowedHosts: parts.allowedHosts,
    repositoryRoots: parts.repositoryRoots,
    ready: () => state.ready,
    checkAnswers: parts.checkAnswers,
  }
  const stopWatching = watchStore(deps)
  const [app, runnerApp] = await Promise.all([createApp(deps), createRunnerApp(deps)])
  await runnerApp.listen({ host: listen.runnerHost, port: listen.runnerPort })
  const runnerUrl = parts.runnerUrl ?? urlOf(runnerApp.server.address() as AddressInfo)
  const reconciler = new Reconciler({
    store,
    blobs,
    runtime,
    service,
    clock,
    log,
    random,
    backendUrl: runnerUrl,
    holder: randomUUID(),
    count: metrics.step,
  })
  const loop = new ReconcileLoop({
    clock,
    log,
    reconcile: (session) => reconciler.reconcile(session),
    attention: () => store.attention({ now: now(), silentBefore: now() - timing.silenceMs, limit: 1000 }),
  })
  const stopHints = runtime.watch((session) => loop.wake(session))
  loop.start()
  const housekeeping = startHousekeeping({ store, blobs, runtime, clock, log })
  await app.listen({ host: listen.host, port: listen.port })
  state.ready = true
  return {
    url: urlOf(app.server.address() as AddressInfo),
    runnerUrl,
    close: async () => {
      state.ready = false
      streams.drain()
      stopHints()
      await Promise.all([app.close(), loop.close(), housekeeping.close()])
      await runnerApp.close()
      stopWatching()
      await gateway.close()
      await runtime.close()
      await store.close()
    },
  }
}

/** The project `default` is always there. */
export const seedProject = async (store: Store, now: number): Promise<void> => {
  if ((await store.project('default')) !== undefined) return
  const project = { name: 'default', displayName: 'Default', description: '', settings: {}, now }
  await store.createProject(project).catch((error) => {
    // Another backend was faster.
    if (!isBerthError(error) || error.code !== 'project_exists') throw error
  })
}

const urlOf = ({ address, family, port }: AddressInfo) =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`

const systemOf = async (runtime: Runtime, source: ModelSource): Promise<System> => {
  const kind = await source.kind()
  const upstream = kind === 'live' ? await source.upstream(kind) : undefined
  const host = upstream === undefined ? undefined : new URL(upstream.baseUrl).host
  return { version, runtime: runtime.kind, model: { source: kind, upstream: host } }
}

/** Bytes of a read from the store for a stream. */
const readBytes = 1024 * 1024

const tails = (store: Store) => ({
  events: new Tail({
    read: async (session, after) => {
      const lines = await store.events(session, { after, limit: 1000, maxBytes: readBytes })
      return lines.map(({ seq, json }) => ({ position: seq, json }))
    },
  }),
  changes: new Tail({
    read: async (project, after) => {
      const { items, reset } = await store.changes(project, { after, limit: 200 })
      if (!reset) return items.map((line) => ({ position: line.revision, json: changeJson(line) }))
      const revision = await store.revision(project)
      return [{ position: revision, json: resetLine(revision) }]
    },
    maxBytes: 8 * 1024 * 1024,
  }),
})

/** Passes what was appended on to the readers. */
const watchStore = ({ store, events, changes, streams, metrics }: Deps): (() => void) =>
  store.watch(({ session, project, seq, lines, change }) => {
    metrics.appended(lines?.length ?? 0)
    events.notice(
      session,
      seq,
      lines?.map(({ seq: position, json }) => ({ position, json })),
    )
    if (change === undefined) return
    changes.notice(project, change.revision, [{ position: change.revision, json: changeJson(change) }])
    if ('removed' in change)
      streams.end(session, { code: 'session_not_found', detail: 'The session was deleted for good.' })
  })
