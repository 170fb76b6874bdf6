import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import type { Sandbox } from '@berth/sandbox'
import { useCompileCache } from './compile-cache.ts'
import type { Config } from './config.ts'

// The imports that cost follow below, when the cache is on.
useCompileCache(process.env)

const [{ ConfigError, readConfig }, { exitCode }, { default: manifest }] = await Promise.all([
  import('./config.ts'),
  import('./exit-code.ts'),
  import('../package.json', { with: { type: 'json' } }),
])

/** Ends what a runner that was killed while it started a sandbox may have left. */
const sweepSandboxes = async (): Promise<void> => {
  const { sweep } = await import('@berth/sandbox')
  await sweep()
}

/** Processes of the runner's own work at once, in the container that has no door. */
const workspaceProcesses = 256

/** The containers beside this one; the one for git and files ends with this process from here on. */
const containersFor = async (config: Config) => {
  const [{ createContainerSandbox }, { createLayout }, { containerMounts }] = await Promise.all([
    import('@berth/sandbox'),
    import('./layout.ts'),
    import('./container-mounts.ts'),
  ])
  const { sessionDirectory, sockets, mirrorDirectory, limits } = config
  const layout = createLayout({ sessionDirectory, renames: true, container: true, doorSocket: '' })
  const sandbox = createContainerSandbox({
    agent: join(sockets, 'agent/launcher.sock'),
    workspace: join(sockets, 'workspace/launcher.sock'),
    mounts: containerMounts(layout, { sockets, mirrors: mirrorDirectory }),
    others: { agent: workspaceProcesses, workspace: limits.processes + workspaceProcesses },
  })
  return { sandbox, lost: sandbox.hold() }
}

const sandboxFor = async (name: string | undefined): Promise<Sandbox> => {
  const { createBubblewrapSandbox, createNoSandbox } = await import('@berth/sandbox')
  return name === 'off' ? createNoSandbox() : createBubblewrapSandbox()
}

/** For `berth doctor`: can sessions run here? */
const check = async (): Promise<number> => {
  const sandbox = await sandboxFor(process.env.BERTH_SANDBOX)
  const result = await sandbox.check()
  process.stdout.write(`${JSON.stringify({ sandbox: sandbox.kind, ...result })}\n`)
  return result.ok ? exitCode.done : exitCode.fault
}

/** For the build of an image: what a runner loads is compiled once, into the directory of `NODE_COMPILE_CACHE`. */
const precompile = async (): Promise<number> => {
  await Promise.all([
    import('@berth/client'),
    import('@berth/sandbox'),
    import('./logs/open-log.ts'),
    import('./runner.ts'),
    import('./ending.ts'),
    import('./layout.ts'),
    import('./container-mounts.ts'),
    import('./agent/claude-kit.ts'),
    import('./door/relay.ts'),
  ])
  flushCompileCache()
  return exitCode.done
}

const loadKit = async ({ claude }: Config) => {
  const { createClaudeKit } = await import('./agent/claude-kit.ts')
  return createClaudeKit(claude)
}

/** How long the end waits for the last lines of the log, in ms. */
const lastLinesMs = 700

const alone = (sandbox: Sandbox): { sandbox: Sandbox; lost?: Promise<string> } => ({ sandbox })

const run = async (config: Config): Promise<number> => {
  const [
    { createRunnerClient },
    { openLog },
    { describe, startRunner },
    { endings, terminatedWithin },
    held,
  ] = await Promise.all([
    import('@berth/client'),
    import('./logs/open-log.ts'),
    import('./runner.ts'),
    import('./ending.ts'),
    config.sandbox === 'container' ? containersFor(config) : sandboxFor(config.sandbox).then(alone),
  ])
  const { backendUrl, token } = config
  const { log, onAgentOutput, close } = openLog(config)
  const home = createRunnerClient({ baseUrl: backendUrl, token })
  const runner = startRunner({
    config,
    home,
    sandbox: held.sandbox,
    loadKit: () => loadKit(config),
    log,
    onAgentOutput,
    version: manifest.version,
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.info({ signal }, 'told to stop')
      runner.end(terminatedWithin(config.graceMs))
    })
  // Nothing of the workspace can be saved any more; what was saved, another runner goes on with.
  void held.lost?.then((why) => {
    log.error({ why }, 'the workspace’s container is gone')
    runner.end(endings.fault)
  })
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(fault, (error) => {
      log.error({ err: describe(error), stack: error instanceof Error ? error.stack : undefined }, fault)
      runner.end(endings.fault)
    })
  // A runner may be killed: what was compiled is kept once the start is over.
  void runner.started.then(() => flushCompileCache())
  if (config.sandbox !== 'container')
    void sweepSandboxes().catch((error) => log.warn({ err: describe(error) }, 'sweeping sandboxes'))
  const code = await runner.done
  log.info({ code }, 'ended')
  // One that another has taken over has no right to write any more.
  await close(code === exitCode.fenced ? 0 : lastLinesMs)
  return code
}

const main = async ([argument]: readonly string[]): Promise<number> => {
  if (argument === '--version') {
    process.stdout.write(`${manifest.version}\n`)
    return exitCode.done
  }
  if (argument === '--check') return check()
  if (argument === '--precompile') return precompile()
  try {
    // Everything that this process makes is its user's alone, whoever started it.
    process.umask(0o077)
    const config = readConfig(process.env)
    // In a pod the agent has another user, and the session's own group.
    if (config.sandbox === 'container') process.umask(0o007)
    // What this process starts should not find the token by mistake.
    delete process.env.BERTH_RUNNER_TOKEN
    return await run(config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return exitCode.start
  }
}

process.exit(await main(process.argv.slice(2)))
