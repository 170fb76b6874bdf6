import { randomBytes, randomUUID } from 'node:crypto'
import type { System } from '@berth/contract'
import { type Runtime, systemClock } from '@berth/runtime'
import { ChainKeys } from './audit/chain-keys.ts'
import { Access } from './auth/access.ts'
import { ownerOnly } from './auth/auth-settings.ts'
import { KeyAuthenticator, withKeys } from './auth/key-authenticator.ts'
import { openAuth } from './auth/open-auth.ts'
import { Standing } from './auth/standing.ts'
import type { BackendParts } from './backend-parts.ts'
import type { Checkpoints } from './checkpoints/checkpoints.ts'
import { EgressBroker } from './egress/egress-broker.ts'
import { tails } from './events/follow-store.ts'
import type { Tail } from './events/tail.ts'
import { Gateway } from './gateway/gateway.ts'
import { type ModelSource, withKnownKeys } from './gateway/model-source.ts'
import { builtInPrices } from './gateway/prices.ts'
import { Providers } from './gateway/providers/providers.ts'
import { gitParts } from './git-credentials/git-parts.ts'
import type { Deps } from './http/deps.ts'
import { Streams } from './http/stream.ts'
import { McpProxy } from './mcp/mcp-proxy.ts'
import { diagnoser } from './observe/diagnose.ts'
import { createMetrics } from './observe/metrics.ts'
import { Operations } from './operations/operations.ts'
import { createOutbound } from './outbound/outbound.ts'
import { ProjectSettler } from './projects/settler.ts'
import { type Cipher, createCipher } from './secrets/cipher.ts'
import { StoredSecrets } from './secrets/stored-secrets.ts'
import { Admission } from './session/admission/admission.ts'
import { unlimited } from './session/admission/capacity.ts'
import { Leases } from './session/lease.ts'
import { ReconcileLoop } from './session/loop.ts'
import { timing } from './session/plan.ts'
import { Reconciler } from './session/reconcile.ts'
import { repositoryPolicy } from './session/repository-policy.ts'
import { SessionService } from './session/service.ts'
import { WatchTime } from './session/watch-time.ts'
import type { Store } from './store/port.ts'
import { version } from './version.ts'

interface Surroundings {
  checkpoints: Checkpoints
  runnerUrl: () => string
  publicUrl: () => string
}

/** Everything that does the work, not yet reachable. */
export const assemble = (parts: BackendParts, { checkpoints, runnerUrl, publicUrl }: Surroundings) => {
  const { store, blobs, runtime, source, log, clock = systemClock, prices = builtInPrices, operator } = parts
  const state = { ready: false, closing: false }
  const random = (bytes: number) => randomBytes(bytes)
  const now = () => clock.now()
  const { events, changes } = tails(store)
  const streams = new Streams({ heartbeatMs: parts.heartbeatMs, recheckMs: parts.recheckMs })
  const sealed = openSecrets(parts, now)
  const { secrets } = sealed
  const wake = (session: string) => loop.wake(session)
  const service = new SessionService({ store, blobs, now, random, secrets, operator, wake })
  const leases = new Leases({ store, clock, log, holder: randomUUID() })
  const metrics = metricsOf({ now, store, leases, events, changes, streams })
  const admission = new Admission({
    ...{ store, service, clock, log, leases },
    capacity: parts.capacity ?? unlimited,
    runtime: runtime.kind,
    admitted: metrics.admitted,
  })
  const outbound = createOutbound({ privateHosts: parts.privateHosts })
  const providers = new Providers({
    ...{
      source: withKnownKeys(source, parts.known),
      outbound,
      now,
      platformKeyProjects: parts.platformKeyProjects ?? 'all',
    },
    secret: (use) => (parts.secrets ?? secrets).value(use),
  })
  const { auth, ...identity } = authOf(parts, { cipher: sealed.cipher, publicUrl })
  const standing = new Standing({
    ...{ store, now, owner: parts.owner.id },
    admins: (parts.auth ?? ownerOnly).rights.admins,
  })
  const deps: Deps = {
    store,
    blobs,
    service,
    operations: new Operations({ store, service, timeoutMs: parts.operationMs }),
    checkpoints,
    admission,
    events,
    changes,
    streams,
    gateway: new Gateway({ providers, service, store, prices, count: metrics.used, now, log }),
    providers,
    outbound,
    mcp: new McpProxy({ service, store, outbound, secrets }),
    egress: new EgressBroker({ service, store, outbound, now, secrets }),
    ...gitParts(parts, { service, outbound, secrets: parts.secrets ?? secrets, standing, now }),
    standing,
    ...sealed,
    ...{ metrics, log, now, auditKeys: new ChainKeys(parts.keys) },
    random,
    access: new Access(store),
    auth,
    ...identity,
    system: () => systemOf(runtime, source),
    diagnose: diagnoser({ store, blobs, runtime, tokenReviewer: parts.tokenReviewer, now, runnerUrl }),
    checkRepository: repositoryPolicy(parts.repositoryRoots),
    rateLimits: parts.rateLimits,
    projectsPerUser: parts.projectsPerUser ?? 50,
    settleProjects: () => settler.wake(),
    allowedHosts: parts.allowedHosts,
    repositoryRoots: parts.repositoryRoots,
    ready: () => state.ready,
    closing: () => state.closing,
    checkAnswers: parts.checkAnswers,
    requestTimeoutMs: parts.requestTimeoutMs,
  }
  const common = { store, blobs, runtime, service, clock, log, random, leases, backendUrl: runnerUrl }
  const watch = new WatchTime(clock)
  const watchingSince = () => watch.since
  const reconciler = new Reconciler({ ...common, admission, watchingSince, count: metrics.step })
  const loop = new ReconcileLoop({
    // A step there mostly waits for others: for a pod to end, for the API server.
    workers: runtime.kind === 'kubernetes' ? 64 : undefined,
    clock,
    log,
    reconcile: (session) => reconciler.reconcile(session),
    attention: attentionOf(store, now, watch),
  })
  const settler = new ProjectSettler({ store, blobs, runtime, service, leases, clock, log })
  return { deps, loop, admission, leases, auth, settler, state }
}

/** Who may ask, and where they are asked. */
const authOf = (parts: BackendParts, { cipher, publicUrl }: { cipher: Cipher; publicUrl: () => string }) => {
  const {
    store,
    log,
    owner,
    ownerToken,
    metricsToken,
    clock = systemClock,
    auth: settings = ownerOnly,
  } = parts
  const auth = openAuth({
    ...{ store, settings, publicUrl, clock, log, owner, cipher, ownerToken, metricsToken },
    ...{ reviewer: parts.tokenReviewer, freeFailures: parts.freeFailures },
    random: (bytes) => randomBytes(bytes),
  })
  const failed = (err: unknown) => log.warn({ err }, 'A use of a key was not noted')
  const keys = new KeyAuthenticator({ store, now: () => clock.now(), failed })
  const authenticator = withKeys(keys, parts.authenticator ?? auth.authenticator)
  return { auth, authenticator, owner, publicUrl, trustedProxies: settings.trustedProxies }
}

interface Measured {
  now: () => number
  store: Store
  leases: Leases
  events: Tail
  changes: Tail
  streams: Streams
}

const metricsOf = ({ now, store, leases, events, changes, streams }: Measured) =>
  createMetrics({
    stats: () => store.stats(),
    ...{ now, leases: () => leases.held, audit: () => store.auditChain() },
    occupancy: () => store.occupancy(),
    tails: () => ({ bytes: events.stats.bytes + changes.stats.bytes, readers: events.stats.readers }),
    streams: () => streams.count,
  })

const openSecrets = ({ store, keys, log, known }: BackendParts, now: () => number) => {
  const cipher = createCipher(keys)
  return { keys, cipher, secrets: new StoredSecrets({ store, keys, cipher, log, known, now }) }
}

/** What may need a step; at the first look everything that lives, because it may have ended while nobody watched. */
const attentionOf = (store: Store, now: () => number, watch: WatchTime) => {
  let first = true
  return async () => {
    const silentBefore = first ? now() + timing.silenceMs : now() - timing.lookMs
    const sessions = await store.attention({ now: now(), silentBefore, limit: 10_000 })
    first = false
    watch.looked()
    return sessions
  }
}

const systemOf = async (runtime: Runtime, source: ModelSource): Promise<System> => {
  const kind = await source.kind()
  const upstream = kind === 'live' ? await source.upstream(kind) : undefined
  const host = upstream === undefined ? undefined : new URL(upstream.baseUrl).host
  return { version, runtime: runtime.kind, model: { source: kind, upstream: host } }
}
