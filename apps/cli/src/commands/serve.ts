import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Client, isConnectionError } from '@berth/client'
import type { Command } from 'commander'
import { connect, defaultPort, urlOf } from '../connection.ts'
import type { Context } from '../context.ts'
import { dataDirOf } from '../data-dir.ts'
import { ExitError } from '../exit-code.ts'
import { examples, portNumber } from '../options.ts'
import { type BackendProcess, startBackend } from '../serve/backend-process.ts'
import { renderBanner } from '../serve/banner.ts'
import { checkSandbox } from '../serve/check-sandbox.ts'
import { runDemo, wantsDemo } from '../serve/demo.ts'

interface ServeOptions {
  port?: number
  host?: string
  dataDir?: string
  demo?: boolean
}

const readyWithinMs = 60_000

export const addServe = (program: Command, context: Context): void => {
  const command = program
    .command('serve')
    .summary('start Berth')
    .description(
      'Starts the backend and stays until it ends. Its exit code is passed on; its logs go to standard error.',
    )
    .option(
      '--port <number>',
      `port of the API (default: BERTH_PORT or ${defaultPort}); the runners’ port is the next one`,
      portNumber,
    )
    .option('--host <address>', 'address to listen on (default: BERTH_HOST or 127.0.0.1)')
    .option('--data-dir <path>', 'where everything is kept (default: BERTH_DATA_DIR or the user’s data home)')
    .option('--demo', 'on the first start, run a session on the sample repository and show it')
    .action((options: ServeOptions) => serve(context, options))
  examples(command, ['berth serve', 'berth serve --demo', 'berth serve --port 8000 --data-dir /srv/berth'])
}

const serve = async (context: Context, options: ServeOptions): Promise<void> => {
  const env = serveEnv(context, options)
  const client = connect(env)
  // Once: while it starts, nobody answering is what is expected.
  const probe = connect(env, { attempts: 1 })
  await refuseTakenAddress(probe, urlOf(env), context.berth)
  // Before anything of ours lies in it: only its owner may look inside.
  await mkdir(dataDirOf(env), { recursive: true, mode: 0o700 })
  const backend = startBackend(context.programs.backend, env)
  const forget = forwardSignals(backend)
  try {
    const ended = backend.exit.then((code) => ({ code }))
    const first = await Promise.race([
      ended,
      welcome({ ...context, env, client }, { options, probe }).catch((error: unknown) => ({ error })),
    ])
    if (first !== undefined && 'error' in first) {
      backend.signal('SIGTERM')
      await backend.exit
      throw first.error
    }
    const code = await backend.exit
    if (code !== 0) throw new BackendExit(code)
    context.err.line(
      context.err.style.dim('Berth has stopped. Running sessions go on; the next start finds them.'),
    )
  } finally {
    forget()
  }
}

/** The backend's own exit code, to be passed on. */
export class BackendExit extends Error {
  readonly code: number
  constructor(code: number) {
    super(`The backend ended with exit code ${code}. What it said is above.`)
    this.name = 'BackendExit'
    this.code = code
  }
}

/** The backend's environment: ours, with what the options say. */
export const serveEnv = (
  { env, err }: Pick<Context, 'env' | 'err'>,
  options: ServeOptions,
): NodeJS.ProcessEnv => {
  const port =
    options.port === undefined
      ? {}
      : { BERTH_PORT: String(options.port), BERTH_RUNNER_PORT: String(options.port + 1) }
  const merged: NodeJS.ProcessEnv = {
    ...env,
    ...port,
    ...(options.host === undefined ? {} : { BERTH_HOST: options.host }),
    ...(options.dataDir === undefined ? {} : { BERTH_DATA_DIR: resolve(options.dataDir) }),
  }
  return {
    ...merged,
    BERTH_URL: undefined,
    BERTH_DATA_DIR: dataDirOf(merged),
    // Node keeps what it made of the TypeScript, which is half of a start.
    NODE_COMPILE_CACHE: merged.NODE_COMPILE_CACHE ?? join(dataDirOf(merged), 'cache', 'node'),
    // On a terminal a person reads along: only what they need to know. What a session suffers, it tells itself.
    BERTH_LOG_LEVEL:
      merged.BERTH_LOG_LEVEL || (err.isTty ? 'error' : options.demo === true ? 'warn' : 'info'),
  }
}

const refuseTakenAddress = async (client: Client, url: string, berth: string): Promise<void> => {
  const answered = await client.livez({ timeoutMs: 2000 }).then(
    () => 'Berth runs',
    (error: unknown) =>
      isConnectionError(error) && error.kind === 'unreachable' ? undefined : 'Another program answers',
  )
  if (answered !== undefined)
    throw new ExitError(
      'refused',
      `${answered} at ${url} already. Stop it, or take another port: ${berth} serve --port 8000`,
    )
}

const forwardSignals = (backend: BackendProcess): (() => void) => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const listeners = signals.map((name) => ({
    name,
    listener: () => backend.signal(name === 'SIGHUP' ? 'SIGTERM' : name),
  }))
  for (const { name, listener } of listeners) process.on(name, listener)
  const atExit = () => backend.signal('SIGTERM')
  process.on('exit', atExit)
  return () => {
    for (const { name, listener } of listeners) process.off(name, listener)
    process.off('exit', atExit)
  }
}

/** Waits until the backend serves, says how to go on, and runs the demo where it is wanted. */
const welcome = async (
  context: Context,
  { options, probe }: { options: ServeOptions; probe: Client },
): Promise<undefined> => {
  const { client, out, env, berth } = context
  const sandboxOff = env.BERTH_SANDBOX === 'off'
  const [sandbox] = await Promise.all([
    sandboxOff ? { ok: false, text: '', repair: undefined } : checkSandbox(context.programs.runner, env),
    untilReady(probe),
  ])
  const [system, link] = await Promise.all([client.getSystem(), client.createLoginLink()])
  const url = urlOf(env)
  const dataDir = dataDirOf(env)
  out.line(
    renderBanner(
      {
        url,
        system,
        loginLink: `${url}${link.path}`,
        sandbox,
        sandboxOff,
        dataDir,
        columns: out.isTty ? out.columns() : Infinity,
        berth,
      },
      out.style,
    ),
  )
  if (options.demo !== true || !(await wantsDemo(context, dataDir))) return undefined
  // Ctrl-C ends the backend here; nobody is asked, because the terminal belongs to the server.
  await runDemo({ ...context, person: undefined, onInterrupt: () => () => undefined }, dataDir)
  return undefined
}

const untilReady = async (client: Client): Promise<void> => {
  const deadline = AbortSignal.timeout(readyWithinMs)
  while (true) {
    const ready = await client.readyz({ timeoutMs: 2000 }).then(
      () => true,
      () => false,
    )
    if (ready) return
    if (deadline.aborted)
      throw new ExitError(
        'internal',
        `The backend was not ready within ${readyWithinMs / 1000} s. Its log is above; berth doctor may know why.`,
      )
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
