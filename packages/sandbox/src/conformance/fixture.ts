import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Sandbox, SandboxCommand, SandboxExit } from '../sandbox.ts'

/** A machine with something worth reaching, around one sandbox. */
export interface Fixture {
  /** Absolute paths outside. */
  paths: {
    base: string
    workspace: string
    home: string
    otherHome: string
    data: string
    door: string
    doorInside: string
    otherSocket: string
    abstractSocket: string
  }
  tcpPort: number
  udpPort: number
  /** Connections and datagrams that reached anything but the door, those under way included. */
  reached(): Promise<number>
  /** The settings of a usual command. */
  command(command: string, args?: string[], more?: Partial<SandboxCommand>): SandboxCommand
  run(command: string, args?: string[], more?: Partial<SandboxCommand>): Promise<RunResult>
  close(): Promise<void>
}

export interface RunResult {
  exit: SandboxExit
  out: string
  err: string
}

/** A new directory, whose name is short enough for sockets in it. */
export const newBase = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'bs-')))

/** What the secret files hold; a probe that prints it has escaped. */
const SECRET = 'ESCAPED: this is the secret'

/** Where everything lies around a base directory. */
export function fixturePaths(base: string): Fixture['paths'] {
  return {
    base,
    workspace: join(base, 'session', 'workspace'),
    home: join(base, 'session', 'home'),
    otherHome: join(base, 'other-home'),
    data: join(base, 'data'),
    door: join(base, 'data', 'd'),
    doorInside: '/run/door.sock',
    otherSocket: join(base, 'data', 's'),
    abstractSocket: `berth-test-${basename(base)}`,
  }
}

function makeTree(base: string): Fixture['paths'] {
  const paths = fixturePaths(base)
  for (const path of [paths.workspace, paths.home, paths.otherHome, paths.data])
    mkdirSync(path, { recursive: true })
  for (const path of [paths.otherHome, paths.data, dirname(paths.workspace)])
    writeFileSync(join(path, 'secret'), SECRET)
  symlinkSync(join(paths.data, 'secret'), join(paths.workspace, 'link-to-file'))
  symlinkSync(paths.data, join(paths.workspace, 'link-to-directory'))
  symlinkSync('../../data/secret', join(paths.workspace, 'relative-link'))
  return paths
}

function listen(server: Server, where: { port: number; host: string } | { path: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => resolve(server))
  })
}

const FENCE = 'fence'

interface UdpTrap {
  port: number
  /** Resolves when everything that was sent before has been counted. */
  flush(): Promise<void>
  close(): void
}

async function trapDatagrams(count: () => void): Promise<UdpTrap> {
  const socket = createSocket('udp4', (message) => {
    if (message.toString() === FENCE) socket.emit(FENCE)
    else count()
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  const flush = (): Promise<void> =>
    new Promise((resolve) => {
      socket.once(FENCE, resolve)
      socket.send(FENCE, port, '127.0.0.1')
    })
  return { port, flush, close: () => socket.close() }
}

const closeServer = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

/** Makes one around a new directory, or a given one. */
export async function makeFixture(sandbox: Sandbox, base = newBase()): Promise<Fixture> {
  const paths = makeTree(base)
  let reached = 0
  const trap = (): Server =>
    createServer((socket) => {
      reached++
      socket.on('error', () => undefined).end(SECRET)
    })
  const tcp = await listen(trap(), { port: 0, host: '127.0.0.1' })
  const servers = [
    tcp,
    await listen(trap(), { path: paths.otherSocket }),
    await listen(
      createServer((socket) => void socket.on('error', () => undefined).pipe(socket)),
      { path: paths.door },
    ),
    ...(process.platform === 'linux' ? [await listen(trap(), { path: `\0${paths.abstractSocket}` })] : []),
  ]
  const udp = await trapDatagrams(() => void reached++)
  const command: Fixture['command'] = (name, args = [], more = {}) => ({
    command: name,
    args,
    cwd: paths.workspace,
    env: { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: paths.home },
    mounts: [
      { path: paths.workspace, mode: 'rw' },
      { path: paths.home, mode: 'rw' },
      { path: dirname(process.execPath), mode: 'ro' },
    ],
    ...more,
  })
  return {
    paths,
    tcpPort: portOf(tcp),
    udpPort: udp.port,
    reached: async () => {
      await udp.flush()
      return reached
    },
    command,
    run: (name, args, more) => collect(sandbox, command(name, args, more)),
    close: async () => {
      udp.close()
      await Promise.all(servers.map(closeServer))
      rmSync(paths.base, { recursive: true, force: true })
    },
  }
}

/** Runs a command to its end without input. */
export async function collect(sandbox: Sandbox, command: SandboxCommand): Promise<RunResult> {
  const process = sandbox.spawn(command)
  process.stdin.end()
  const [out, err, exit] = await Promise.all([text(process.stdout), text(process.stderr), process.exited])
  return { exit, out, err }
}
