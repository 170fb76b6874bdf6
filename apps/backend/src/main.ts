import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RemoteGuard } from '@berth/git'
import type { Runtime } from '@berth/runtime'
import { createLocalRuntime } from '@berth/runtime-local'
import { createBubblewrapSandbox, createNoSandbox } from '@berth/sandbox'
import { builtInScenarios, createScriptedModel, loadScenarios } from '@berth/scripted-model'
import type { Logger } from 'pino'
import { ownerToken, readToken } from './auth/owner-token.ts'
import { startBackend } from './backend.ts'
import { createDirectoryBlobs } from './blobs/directory.ts'
import type { BlobStore } from './blobs/port.ts'
import { processDirectory } from './checkpoints/process-directory.ts'
import { type Config, readConfig } from './config.ts'
import { createModelSource } from './gateway/model-source.ts'
import { loadPrices } from './gateway/prices.ts'
import { parseGitHosts } from './git-proxy/git-hosts.ts'
import { createRemoteGuard } from './git-proxy/guard-remote.ts'
import { createLog } from './observe/create-log.ts'
import { openKeyRing } from './secrets/key-ring.ts'
import { KnownValues } from './secrets/known-values.ts'
import { capacityOf, clusterCapacityOf } from './session/admission/capacity.ts'
import { loadOperatorSettings } from './session/operator-settings.ts'
import type { Store } from './store/port.ts'
import { createSqliteStore } from './store/sqlite/sqlite-store.ts'

const runnerMain = fileURLToPath(new URL('../../runner/src/main.ts', import.meta.url))

const start = async (config: Config) => {
  // Nothing that Berth makes is for other users of the machine.
  process.umask(0o077)
  const known = new KnownValues()
  const log = createLog({ level: config.logLevel, known })
  const prices = await loadPrices(config.prices)
  const operator = await loadOperatorSettings(config.settings)
  const store = await openStore(config)
  const scripted = createScriptedModel({ scenarios: await scenariosOf(config) })
  const { url: scriptedUrl, close: closeScripted } = await scripted.listen()
  const backend = await startBackend({
    store,
    blobs: await blobsOf(config, { log, shared: store.kind !== 'sqlite' }),
    runtime: await runtimeOf(config, log),
    source: createModelSource({ ...config, scriptedUrl }),
    platformKeyProjects: config.platformKeyProjects,
    prices,
    operator,
    checkpoints: {
      directory: await processDirectory(join(config.dataDir, 'checkpoints')),
      git: { ...gitSurroundings(), guard: remoteGuardOf(config) },
      sandbox: config.sandbox === 'off' ? createNoSandbox() : createBubblewrapSandbox(),
    },
    log,
    known,
    ownerToken: await ownerToken(config),
    keys: await openKeyRing(config),
    lostKeys: config.lostKeys,
    metricsToken:
      config.metricsTokenFile === undefined ? undefined : await readToken(config.metricsTokenFile),
    owner: config.owner,
    auth: config.auth,
    tokenReviewer: await tokenReviewerOf(config),
    surroundings: {
      path: process.env.PATH ?? '',
      home: process.env.HOME,
      inherited: process.env,
      guard: remoteGuardOf(config),
    },
    // Pods see nothing of this machine's disk.
    repositoryRoots:
      config.runtime.kind === 'local' ? [...config.repositoryRoots, join(config.dataDir, 'samples')] : [],
    capacity:
      config.runtime.kind === 'local' ? capacityOf(config.capacity) : clusterCapacityOf(config.capacity),
    projectsPerUser: config.projectsPerUser,
    git: { hosts: config.gitHosts },
    privateHosts: config.privateHosts,
    allowedHosts: config.allowedHosts,
    rateLimits: config.rateLimits,
    audit: config.audit,
    listen: { ...config },
    runnerUrl: config.runnerUrl,
    drainMs: config.drainMs,
  })
  log.info({ url: backend.url, runnerUrl: backend.runnerUrl, dataDir: config.dataDir }, 'Berth is ready')
  return async () => {
    log.info('Berth stops; its runners go on')
    await backend.close()
    await closeScripted()
  }
}

/** Opens the store that is configured, and brings its schema up to date. */
const openStore = async (config: Config): Promise<Store> => {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 })
  // Loaded only when it is used.
  if (config.database !== undefined)
    return (await import('./store/postgres/postgres-store.ts')).createPostgresStore(config.database)
  return createSqliteStore({ file: join(config.dataDir, 'berth.db') })
}

/** For whoever brings the schema up to date before the new backends start. */
const migrate = async (config: Config): Promise<void> => {
  process.umask(0o077)
  const store = await openStore(config)
  await store.close()
  process.stdout.write('The schema is up to date.\n')
}

/** Files in the data directory, or objects in a bucket. */
const blobsOf = async (
  { dataDir, s3 }: Config,
  { log, shared }: { log: Logger; shared: boolean },
): Promise<BlobStore> => {
  if (s3 === undefined) return createDirectoryBlobs({ directory: join(dataDir, 'blobs'), shared })
  // Loaded only when it is used: it takes 35 MB.
  const { createS3Blobs } = await import('./blobs/s3/s3-blobs.ts')
  return createS3Blobs({ ...s3, now: Date.now, warn: (message) => log.warn(message) })
}

/** Processes of this machine, or Jobs of a cluster. */
const runtimeOf = async (config: Config, log: Logger): Promise<Runtime> => {
  if (config.runtime.kind === 'kubernetes') {
    // Loaded only when it is used: the client takes 90 MB.
    const { createKubernetesRuntime, readOptions } = await import('@berth/runtime-kubernetes')
    return createKubernetesRuntime({ options: await readOptions(config.runtime.file), log })
  }
  return createLocalRuntime({
    directory: join(config.dataDir, 'sessions'),
    command: [process.execPath, runnerMain],
    mirrors: join(config.dataDir, 'mirrors'),
    baseEnv: {
      BERTH_SANDBOX: config.sandbox,
      BERTH_GIT: config.runnersGit,
      ...operatorEnvironment(),
    },
  })
}

/** The cluster that knows tokens of Kubernetes, where they are taken. */
const tokenReviewerOf = async ({ auth }: Config) => {
  if (auth.tokenReview === undefined) return undefined
  return (await import('@berth/runtime-kubernetes')).createTokenReviewer()
}

/** Where Claude Code is, and what git needs to use the operator's own credentials when it clones. */
const operatorEnvironment = (): Record<string, string> => {
  const names = [
    'PATH',
    'HOME',
    'LANG',
    'SSH_AUTH_SOCK',
    'XDG_CONFIG_HOME',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'NO_PROXY',
    'BERTH_CLAUDE_EXECUTABLE',
  ]
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

const gitSurroundings = () => {
  const inherited = operatorEnvironment()
  return { path: inherited.PATH ?? '/usr/local/bin:/usr/bin:/bin', home: inherited.HOME, inherited }
}

/** Where runners reach git servers only through the git proxy, the backend itself asks no others either. */
const remoteGuardOf = ({ runtime, runnersGit, gitHosts }: Config): RemoteGuard | undefined =>
  runtime.kind === 'kubernetes' || runnersGit === 'proxy'
    ? createRemoteGuard(parseGitHosts(gitHosts))
    : undefined

/** A user's own scenarios count before the built-in ones. */
const scenariosOf = async (config: Config) => {
  const own = config.scenarios === undefined ? [] : await loadScenarios(config.scenarios)
  return [...own, ...(await loadScenarios(builtInScenarios))]
}

/** Beyond the time for requests: what is left to end then is not waited for any longer. */
const exitAfterMs = 7000

try {
  const config = readConfig(process.env)
  if (process.argv.includes('--migrate')) {
    await migrate(config)
    process.exit(0)
  }
  const stop = await start(config)
  let stopping = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      setTimeout(() => process.exit(1), config.drainMs + exitAfterMs).unref()
      stop().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
