import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { parseOpening, parseOrder } from './launch-request.ts'
import { type LaunchedCommand, launch, type Streams } from './launched-command.ts'
import { clearLeftovers } from './leftovers.ts'
import { readLines } from './lines.ts'
import {
  type LaunchRequest,
  type Life,
  longestLine,
  longestOpening,
  type StreamName,
  type Told,
} from './protocol.ts'

export interface LauncherOptions {
  socket: string
  life: Life
  /** The last lease was closed. */
  onReleased(): void
}

/** Starts the commands that come by a socket: one connection for each and three for its streams. */
export interface Launcher {
  /** Was there ever a lease? */
  readonly leased: boolean
  close(): void
}

/** Connections at once. Whoever opens more is not served: it can only be what runs here. */
const mostConnections = 512
/** From a connection to its first line, and from a command to its streams. */
const patienceMs = 10_000
const usageMs = 1000

interface Waiting {
  request: LaunchRequest
  control: Socket
  streams: Partial<Streams>
}

/** Listens on the socket, which user and group may use; the directory is somebody else's matter. */
export async function startLauncher(options: LauncherOptions): Promise<Launcher> {
  const { socket, life } = options
  const waiting = new Map<string, Waiting>()
  const live = new Set<number>()
  const leases = new Set<Socket>()
  let leased = false
  const server = createServer((connection) => {
    connection.on('error', () => undefined)
    const timer = setTimeout(() => connection.destroy(), patienceMs)
    const close = (): void => clearTimeout(timer)
    connection.once('close', close)
    const lines = readLines(connection, {
      longest: () => longestOpening,
      take(line) {
        close()
        lines.stop()
        const opening = parseOpening(line)
        if (opening === undefined) return void connection.destroy()
        if (opening.open === 'stream') return attach(connection, opening)
        tell(connection, { tell: 'life', ...life })
        if (opening.open === 'command') return expect(connection, opening.request)
        connection.resume()
        if (opening.open === 'hello') return void connection.end()
        leased = true
        leases.add(connection)
        connection.once('close', () => {
          leases.delete(connection)
          if (leases.size === 0) options.onReleased()
        })
      },
    })
  })
  const expect = (control: Socket, request: LaunchRequest): void => {
    if (waiting.has(request.id)) return void control.destroy()
    const entry: Waiting = { request, control, streams: {} }
    waiting.set(request.id, entry)
    const forget = (): void => {
      if (!waiting.delete(request.id)) return
      for (const stream of Object.values(entry.streams)) stream?.destroy()
      control.destroy()
    }
    const timer = setTimeout(forget, patienceMs)
    control.once('close', () => {
      clearTimeout(timer)
      forget()
    })
  }
  const attach = (stream: Socket, { stream: name, of }: { stream: StreamName; of: string }): void => {
    const entry = waiting.get(of)
    if (entry === undefined || entry.streams[name] !== undefined) return void stream.destroy()
    entry.streams[name] = stream
    const { stdin, stdout, stderr } = entry.streams
    if (stdin === undefined || stdout === undefined || stderr === undefined) return
    waiting.delete(of)
    void run(entry, { stdin, stdout, stderr }, live)
  }
  await listen(server, socket)
  return {
    get leased() {
      return leased
    },
    close: () => void server.close(),
  }
}

async function listen(server: Server, socket: string): Promise<void> {
  server.maxConnections = mostConnections
  // One of an earlier life.
  rmSync(socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
  chmodSync(socket, 0o660)
}

function tell(control: Socket, told: Told): void {
  if (!control.destroyed && control.writable) control.write(`${JSON.stringify(told)}\n`)
}

/** Runs a command to its end, and until nothing of it is left. Never rejects. */
async function run(entry: Waiting, streams: Streams, live: Set<number>): Promise<void> {
  const { control, request } = entry
  let command: LaunchedCommand
  try {
    command = launch(request, streams)
  } catch (error) {
    tell(control, { tell: 'failed', message: error instanceof Error ? error.message : String(error) })
    return void control.end()
  }
  live.add(command.pid)
  const end = (): void => command.order({ end: true })
  control.on('close', end)
  readLines(control, {
    longest: () => longestLine,
    take(line) {
      const order = parseOrder(line)
      if (order !== undefined) command.order(order)
    },
  })
  control.resume()
  tell(control, { tell: 'started' })
  const timer = setInterval(() => {
    const usage = command.meter.usage()
    // One that is not read is not written again.
    if (usage !== undefined && control.writableLength === 0) tell(control, { tell: 'usage', usage })
  }, usageMs)
  const { code, signal } = await command.ended
  clearInterval(timer)
  control.off('close', end)
  const usage = command.meter.usage()
  live.delete(command.pid)
  await clearLeftovers(() => live)
  tell(control, { tell: 'exit', code, signal, ...(usage === undefined ? {} : { usage }) })
  control.end()
}
