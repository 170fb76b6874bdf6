import { spawn } from 'node:child_process'
import { parseLocation } from './location.ts'
import { isOwnServer } from './own-server.ts'
import { openRelay } from './relay.ts'
import { rewrite } from './rewrite.ts'

interface RealHelper {
  scheme: 'https' | 'http'
  remote: string
  url: string
  /** What git prints of its address, and what people know it by. */
  told?: { from: string; to: string }
}

/** git's configuration with one more entry: what goes to the relay goes through no other proxy. */
const withoutProxy = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const count = Number(env.GIT_CONFIG_COUNT ?? 0)
  return {
    ...env,
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: 'http.proxy',
    [`GIT_CONFIG_VALUE_${count}`]: '',
  }
}

/** Runs git's own helper in place of this one; gives its exit code. */
const runReal = ({ scheme, remote, url, told }: RealHelper): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn('git', [`remote-${scheme}`, remote, url], {
      stdio: ['inherit', 'inherit', 'pipe'],
      env: withoutProxy(process.env),
    })
    const errors = told === undefined ? child.stderr : child.stderr.pipe(rewrite(told.from, told.to))
    errors.on('data', (chunk: Buffer) => process.stderr.write(chunk))
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
      process.on(signal, () => child.kill(signal))
    child.once('error', (error) => {
      process.stderr.write(`fatal: git could not be started: ${error.message}\n`)
      resolve(128)
    })
    child.once('close', (code) => resolve(code ?? 128))
  })

/**
 * git's remote helper for sessions. The sandbox has no network: git's own HTTP helper speaks through a port of this process
 * with the door, which leads to the backend's git proxy. Arguments are those of any remote helper: the remote's name and the
 * address.
 */
const main = async ([remote = '', address = '']: readonly string[]): Promise<number> => {
  const location = parseLocation(address)
  const door = process.env.BERTH_DOOR
  if (location === undefined || door === undefined) {
    const why =
      door === undefined
        ? 'this is no Berth session (BERTH_DOOR is not set)'
        : 'this is no address of a repository'
    process.stderr.write(`fatal: unable to access '${address}': ${why}\n`)
    return 128
  }
  const { scheme, place } = location
  if (await isOwnServer(location)) return runReal({ scheme, remote, url: address })
  const relay = await openRelay(door)
  try {
    const base = `${relay.url}/git/${scheme}/`
    const told = { from: base, to: `${scheme}://` }
    return await runReal({ scheme: 'http', remote, url: `${base}${place}`, told })
  } finally {
    relay.close()
  }
}

process.exitCode = await main(process.argv.slice(2))
