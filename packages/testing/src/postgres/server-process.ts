import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { keeper, postgresPrograms } from './programs.ts'

const run = promisify(execFile)

export interface ServerOptions {
  /** Whether a commit waits for the disk. Without it, what is committed survives the server's death, not the machine's. Default: false. */
  durable?: boolean
  /** More settings of the server. */
  settings?: Record<string, string | number>
}

/** A database server as a process of its own, on a port of this machine, in a temporary directory. */
export class ServerProcess {
  readonly #directory: string
  readonly #port: number
  readonly #password: string
  readonly #postgres: string
  readonly #identity: Identity
  readonly #settings: Record<string, string | number>
  #keeper: ChildProcess | undefined

  private constructor(made: Made, options: ServerOptions) {
    this.#directory = made.directory
    this.#port = made.port
    this.#password = made.password
    this.#postgres = made.postgres
    this.#identity = made.identity
    const { durable = false, settings } = options
    this.#settings = {
      listen_addresses: '127.0.0.1',
      port: made.port,
      unix_socket_directories: '',
      max_connections: 200,
      ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
      ...settings,
    }
  }

  static async make(options: ServerOptions = {}): Promise<ServerProcess> {
    const made = await makeCluster()
    const server = new ServerProcess(made, options)
    await server.start()
    return server
  }

  /** Of a database. */
  url(database: string): string {
    return `postgres://berth:${this.#password}@127.0.0.1:${this.#port}/${database}`
  }

  async start(): Promise<void> {
    const settings = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const server = [this.#postgres, '-D', join(this.#directory, 'data'), ...settings]
    // In a process group of its own: what interrupts the tests lets the keeper tidy up.
    const child = spawn('/bin/sh', [keeper, this.#directory, ...server], {
      ...this.#identity,
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    this.#keeper = child
    child.stdin?.on('error', () => undefined)
    child.unref()
    await ready(child)
  }

  /** Ends the server at once, as if its machine had lost power but for its disk. */
  async kill(): Promise<void> {
    const [pid] = (await readFile(join(this.#directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')
    process.kill(Number(pid), 'SIGKILL')
    await this.#end('keep')
  }

  /** Stops it in order; `start` starts it again. */
  stop(): Promise<void> {
    return this.#end('keep')
  }

  /** Stops it and removes all that it kept. */
  async dispose(): Promise<void> {
    if (this.#keeper === undefined) await rm(this.#directory, { recursive: true, force: true })
    else await this.#end('remove')
  }

  async #end(word: 'keep' | 'remove'): Promise<void> {
    const child = this.#keeper
    if (child === undefined) return
    this.#keeper = undefined
    child.ref()
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.stdin?.end(`${word}\n`)
    await ended
  }
}

/** Resolves when it takes connections. */
const ready = (child: ChildProcess) =>
  new Promise<void>((resolve, reject) => {
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      // Nobody reads on once it is up, but the pipe must not fill.
      said = (said + chunk).slice(-10_000)
      if (said.includes('ready to accept connections')) resolve()
      if (said.includes('database system is shut down')) reject(new Error(said))
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said}`)))
  })

interface Identity {
  uid?: number
  gid?: number
}

interface Made {
  directory: string
  port: number
  password: string
  postgres: string
  identity: Identity
}

const makeCluster = async (): Promise<Made> => {
  const { initdb, postgres } = await postgresPrograms()
  const identity = await unprivileged()
  const directory = await mkdtemp(join(tmpdir(), 'berth-postgres-'))
  try {
    const password = randomBytes(12).toString('hex')
    const passwordFile = join(directory, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    if (identity.uid !== undefined && identity.gid !== undefined)
      for (const path of [directory, passwordFile]) await chown(path, identity.uid, identity.gid)
    const access = ['--auth=scram-sha-256', '--username=berth', `--pwfile=${passwordFile}`]
    const form = ['--encoding=UTF8', '--locale=C', '--no-sync']
    await run(initdb, [`--pgdata=${join(directory, 'data')}`, ...access, ...form], { ...identity, cwd: '/' })
    return { directory, port: await freePort(), password, postgres, identity }
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

/** PostgreSQL refuses to run as root: there it runs as `nobody`, who must be able to read `node_modules`. */
const unprivileged = async (): Promise<Identity> => {
  if (userInfo().uid !== 0) return {}
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'nobody'])))
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })
