import { createRunnerClient } from '@berth/client'
import { createBubblewrapSandbox, createNoSandbox, type Sandbox } from '@berth/sandbox'
import { pino } from 'pino'
import manifest from '../package.json' with { type: 'json' }
import { type Config, ConfigError, readConfig } from './config.ts'
import { endings } from './ending.ts'
import { exitCode } from './exit-code.ts'
import { describe, startRunner } from './runner.ts'

const sandboxFor = (name: string | undefined): Sandbox =>
  name === 'off' ? createNoSandbox() : createBubblewrapSandbox()

/** For `berth doctor`: can sessions run here? */
const check = async (): Promise<number> => {
  const sandbox = sandboxFor(process.env.BERTH_SANDBOX)
  const result = await sandbox.check()
  process.stdout.write(`${JSON.stringify({ sandbox: sandbox.kind, ...result })}\n`)
  return result.ok ? exitCode.done : exitCode.fault
}

const loadKit = async () => {
  const { createClaudeKit } = await import('./agent/claude-kit.ts')
  return createClaudeKit()
}

const run = async (config: Config): Promise<number> => {
  const { session, generation, backendUrl, token, logLevel } = config
  const log = pino({ level: logLevel, base: { session, generation } })
  const kit = loadKit()
  kit.catch(() => undefined)
  const runner = startRunner({
    config,
    home: createRunnerClient({ baseUrl: backendUrl, token }),
    sandbox: sandboxFor(config.sandbox),
    kit,
    log,
    version: manifest.version,
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      log.info({ signal }, 'told to stop')
      runner.end(endings.terminated)
    })
  for (const fault of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(fault, (error) => {
      log.error({ err: describe(error), stack: error instanceof Error ? error.stack : undefined }, fault)
      runner.end(endings.fault)
    })
  return runner.done
}

const main = async (args: readonly string[]): Promise<number> => {
  if (args[0] === '--version') {
    process.stdout.write(`${manifest.version}\n`)
    return exitCode.done
  }
  if (args[0] === '--check') return check()
  try {
    const config = readConfig(process.env)
    // The agent never sees this process, but what this process starts by mistake should not find the token either.
    delete process.env.BERTH_RUNNER_TOKEN
    return await run(config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    return exitCode.start
  }
}

process.exit(await main(process.argv.slice(2)))
