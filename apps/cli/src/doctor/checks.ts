import { execFile } from 'node:child_process'
import { mkdir, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isConnectionError } from '@berth/client'
import type { Finding } from '@berth/contract'
import { urlOf } from '../connection.ts'
import type { Context } from '../context.ts'
import { dataDirOf } from '../data-dir.ts'
import { maskKey, readModelKey } from '../model-key-file.ts'
import { bytes } from '../render/amounts.ts'
import { checkSandbox } from '../serve/check-sandbox.ts'

const run = promisify(execFile)

const node = async (): Promise<Finding> => {
  const detail = `${process.version} (${process.execPath})`
  if (Number(process.versions.node.split('.')[0]) >= 24) return { name: 'Node', state: 'ok', detail }
  return {
    name: 'Node',
    state: 'fail',
    detail,
    repair: 'Berth runs on Node 24: `npm install` brings it; start berth through npm or node_modules/.bin.',
  }
}

const git = async (): Promise<Finding> => {
  const repair = 'Install git 2.30 or newer, e.g. `apt-get install git` or `brew install git`.'
  try {
    const { stdout } = await run('git', ['--version'], { timeout: 10_000 })
    const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(stdout)?.map(Number) ?? []
    const isNew = major > 2 || (major === 2 && minor >= 30)
    return {
      name: 'git',
      state: isNew ? 'ok' : 'fail',
      detail: stdout.trim(),
      repair: isNew ? undefined : repair,
    }
  } catch {
    return { name: 'git', state: 'fail', detail: 'not found', repair }
  }
}

const sandbox = async ({ env, programs }: Context): Promise<Finding> => {
  const name = 'sandbox'
  if (env.BERTH_SANDBOX === 'off')
    return {
      name,
      state: 'warn',
      detail: 'off: agents run unsandboxed, with your rights',
      repair: 'Unset BERTH_SANDBOX.',
    }
  const { ok, text, repair } = await checkSandbox(programs.runner, env)
  return { name, state: ok ? 'ok' : 'fail', detail: text, repair }
}

const dataDirectory = async ({ env }: Context): Promise<Finding> => {
  const name = 'data directory'
  const path = dataDirOf(env)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) {
    const made = await mkdir(path, { recursive: true, mode: 0o700 }).then(
      () => true,
      () => false,
    )
    return made
      ? { name, state: 'ok', detail: path }
      : {
          name,
          state: 'fail',
          detail: `${path} can't be made`,
          repair: `Make ${dirname(path)} writable, or set BERTH_DATA_DIR.`,
        }
  }
  if (!found.isDirectory())
    return {
      name,
      state: 'fail',
      detail: `${path} is not a directory`,
      repair: 'Move it away, or set BERTH_DATA_DIR.',
    }
  const open = await openToOthers([path, join(path, 'owner-token'), join(path, 'model-key.json')])
  if (open.length === 0) return { name, state: 'ok', detail: path }
  return {
    name,
    state: 'fail',
    detail: `others can read ${open.join(', ')}`,
    repair: `chmod go= ${open.join(' ')}`,
  }
}

const openToOthers = async (paths: readonly string[]): Promise<string[]> => {
  const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)))
  return paths.filter((_, i) => ((found[i]?.mode ?? 0) & 0o077) !== 0)
}

const disk = async ({ env }: Context): Promise<Finding> => {
  const name = 'disk'
  let path = dataDirOf(env)
  while (dirname(path) !== path && (await stat(path).catch(() => undefined)) === undefined)
    path = dirname(path)
  const { bavail, bsize } = await statfs(path)
  const free = bavail * bsize
  const detail = `${bytes(free)} free at ${path}`
  const repair = 'Make room, or move the data directory (BERTH_DATA_DIR) to a larger disk.'
  if (free < 256 * 1024 ** 2) return { name, state: 'fail', detail, repair }
  return free < 2 * 1024 ** 3 ? { name, state: 'warn', detail, repair } : { name, state: 'ok', detail }
}

const modelKey = async ({ env, berth }: Context): Promise<Finding> => {
  const name = 'model key'
  if (env.ANTHROPIC_API_KEY)
    return { name, state: 'ok', detail: `${maskKey(env.ANTHROPIC_API_KEY)} from ANTHROPIC_API_KEY` }
  const key = await readModelKey(dataDirOf(env)).catch((error: Error) => error)
  if (key instanceof Error)
    return { name, state: 'fail', detail: key.message, repair: `${berth} model-key set` }
  if (key !== undefined) return { name, state: 'ok', detail: `${maskKey(key.apiKey)} from berth model-key` }
  return { name, state: 'warn', detail: 'none: the scripted model answers', repair: `${berth} model-key set` }
}

/** Whether the backend answers, and what runs there. */
export const backend = async ({ client, env, berth }: Context): Promise<Finding> => {
  const name = 'backend'
  const url = urlOf(env)
  try {
    const { version, runtime, model } = await client.getSystem({ timeoutMs: 5000 })
    return { name, state: 'ok', detail: `${version} at ${url}, ${runtime} runtime, ${model.source} model` }
  } catch (error) {
    if (!isConnectionError(error)) {
      const detail = error instanceof Error ? error.message : String(error)
      return {
        name,
        state: 'fail',
        detail,
        repair: 'Set BERTH_TOKEN or BERTH_DATA_DIR for the backend that you call.',
      }
    }
    if (error.kind !== 'unreachable')
      return {
        name,
        state: 'fail',
        detail: error.message,
        repair: `Another program has the port, or Berth hangs: ${berth} serve --port 8000, or look at its log.`,
      }
    return portFinding(url, berth)
  }
}

/** Nothing answers: is the port at least free? */
const portFinding = async (url: string, berth: string): Promise<Finding> => {
  const { hostname, port } = new URL(url)
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  const problem = local ? await listenProblem(hostname.replace(/[[\]]/g, ''), Number(port)) : undefined
  if (problem === undefined)
    return { name: 'backend', state: 'warn', detail: `does not run at ${url}`, repair: `${berth} serve` }
  return {
    name: 'backend',
    state: 'fail',
    detail: `port ${port} can't be used (${problem})`,
    repair: `${berth} serve --port 8000`,
  }
}

const listenProblem = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })

/** Every check, in the order in which they are shown. None throws. */
export const runChecks = (context: Context): Promise<Finding[]> =>
  Promise.all(
    [node, git, sandbox, dataDirectory, disk, modelKey, backend].map((check) =>
      check(context).catch(
        (error: Error): Finding => ({ name: check.name, state: 'fail', detail: error.message }),
      ),
    ),
  )
