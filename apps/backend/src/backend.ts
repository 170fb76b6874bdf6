import type { AddressInfo } from 'node:net'
import { isBerthError } from '@berth/contract'
import { systemClock } from '@berth/runtime'
import type { FastifyInstance } from 'fastify'
import { createApp, createRunnerApp } from './app.ts'
import { assemble } from './assemble.ts'
import { Sealer } from './audit/sealer.ts'
import type { BackendParts } from './backend-parts.ts'
import { type Checkpoints, openCheckpoints } from './checkpoints/checkpoints.ts'
import { goneOf, watchStore } from './events/follow-store.ts'
import { startRecheck } from './events/recheck.ts'
import { drainable } from './http/drain.ts'
import { claimKeys } from './secrets/claim-keys.ts'
import type { Secrets } from './secrets/secrets.ts'
import { startHousekeeping } from './session/housekeeping.ts'
import type { Store } from './store/port.ts'

export type { BackendParts } from './backend-parts.ts'

export interface Backend {
  url: string
  runnerUrl: string
  checkpoints: Checkpoints
  secrets: Secrets
  /** Tells readers to reconnect, finishes what is under way, and closes the parts. Runners go on. */
  close(): Promise<void>
}

/** Puts the backend together and starts it. Rejects when an address can't be had; then nothing is left behind. */
export const startBackend = async (parts: BackendParts): Promise<Backend> => {
  const { store, blobs, runtime, log, clock = systemClock, listen, drainMs = 8000 } = parts
  await claimKeys({ store, log, keys: parts.keys, lost: parts.lostKeys })
  await seedProject(store, clock.now())
  parts.known?.know([parts.ownerToken, parts.metricsToken])
  const addresses = { api: '', runner: '' }
  const checkpoints = await openCheckpoints(parts, parts.checkpoints)
  const runnerUrl = () => parts.runnerUrl ?? addresses.runner
  const publicUrl = () => parts.auth?.publicUrl ?? addresses.api
  const { deps, loop, admission, leases, auth, settler, state } = assemble(parts, {
    checkpoints,
    runnerUrl,
    publicUrl,
  })
  const [app, runnerApp] = await Promise.all([createApp(deps), createRunnerApp(deps)])
  const closings = [drainable(app), drainable(runnerApp)]
  const stops = [watchStore(deps), runtime.watch((session) => loop.wake(session))]
  try {
    await runnerApp.listen({ host: listen.runnerHost, port: listen.runnerPort })
    addresses.runner = urlOf(runnerApp)
    await app.listen({ host: listen.host, port: listen.port })
    addresses.api = urlOf(app)
  } catch (error) {
    for (const stop of stops) stop()
    deps.streams.drain()
    deps.operations.close()
    await Promise.all([app.close(), runnerApp.close()])
    throw error
  }
  loop.start()
  auth.start()
  admission.start()
  settler.wake()
  const housekeeping = startHousekeeping({
    ...{ store, blobs, runtime, leases, clock, log },
    wake: (session) => loop.wake(session),
  })
  const sealer = new Sealer({ store, keys: deps.auditKeys, leases, clock, log, ...parts.audit })
  sealer.start()
  // Alone with its store, a backend is told of everything.
  const recheck =
    store.kind === 'sqlite' ? undefined : startRecheck({ ...deps, gone: goneOf(deps), clock, log })
  state.ready = true
  const close = async () => {
    Object.assign(state, { ready: false, closing: true })
    deps.streams.drain()
    // Who waits for a runner's answer is sent away shortly before the end, and can come back for it elsewhere.
    const giveUp = setTimeout(() => deps.operations.close(), drainMs * 0.75)
    await Promise.all([
      loop.close(),
      admission.close(),
      auth.close(),
      settler.close(),
      housekeeping.close(),
      sealer.close(),
      recheck?.close(),
      ...closings.map((end) => end(drainMs)),
    ])
    clearTimeout(giveUp)
    deps.operations.close()
    await leases.close()
    for (const stop of stops) stop()
    await deps.gateway.close()
    await deps.outbound.close()
    await parts.tokenReviewer?.close()
    await runtime.close()
    await store.close()
  }
  let closed: Promise<void> | undefined
  return {
    url: urlOf(app),
    runnerUrl: runnerUrl(),
    checkpoints,
    secrets: deps.secrets,
    close: () => {
      closed ??= close()
      return closed
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

const urlOf = ({ server }: FastifyInstance): string => {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
