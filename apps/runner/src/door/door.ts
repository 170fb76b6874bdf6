import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { BodyTooLarge, readBody, TooMuchAtOnce } from './body.ts'
import { makeDoorDirectory } from './door-directory.ts'
import type { EgressDoor } from './egress-door.ts'
import { createGitDoor, refuseGit } from './git-door.ts'
import type { Relay, RelayOptions } from './relay.ts'
import { modelError, relayedHeaders, ruleFor } from './relayed-request.ts'

/** The one way out of the sandbox: model requests, git's and those to other hosts go to the backend with the runner's token. */
export interface Door {
  /** The unix socket to bind into the sandbox; lives as long as this process. */
  readonly socket: string
  /** Loads what the first request needs: not before the agent starts, which needs none of it. */
  warm(): Promise<void>
  /** The certificate that programs have to trust to reach other hosts, as PEM. Its key lives as long as this process. */
  egressAuthority(): Promise<string>
  /** Resolves with the first model request. */
  readonly used: Promise<void>
  close(): Promise<void>
}

export interface DoorOptions extends RelayOptions {
  token: string
  /** Names the session and generation: what a killed generation before left is removed. */
  owner: { session: string; generation: number }
  /** A directory that is shared with the group: so is the socket then. Default: a new one, for this user alone. */
  shared?: string
  /** The turn that runs now, if any. */
  turn(): string | undefined
  /** Bytes of one request. Default: 32 MB. */
  bodyLimit?: number
  /** Bytes of the bodies that are held at once, also of those that are still coming. Default: 256 MB. */
  heldLimit?: number
  onProblem(error: unknown): void
}

/** Requests at once; more are refused, as the agent may be hostile. */
const concurrent = 64

/** Opens the door. Its socket lies in a directory that only this user can enter, or that it shares with its group. */
export const openDoor = async (options: DoorOptions): Promise<Door> => {
  const { shared } = options
  const directory = shared ?? (await makeDoorDirectory(options.owner))
  const socket = join(directory, 'door.sock')
  let loading: Promise<Relay> | undefined
  const relay = () => {
    loading ??= import('./relay.ts').then(({ createRelay }) => createRelay(options))
    return loading
  }
  // Connections of its own: however much git does, the model is reached.
  let loadingForGit: Promise<Relay> | undefined
  const relayForGit = () => {
    loadingForGit ??= import('./relay.ts').then(({ createRelay }) => createRelay(options))
    return loadingForGit
  }
  const git = createGitDoor({ ...options, relay: relayForGit })
  const egress = openLate(options)
  const load = { requests: 0, bytes: 0 }
  const used = Promise.withResolvers<void>()
  const server = createServer({ maxHeaderSize: 32 * 1024, requestTimeout: 0 }, (request, response) => {
    void handle(request, response, { options, relay, load, git, egress, onUsed: used.resolve })
  })
  server.on('connect', (request, socket, head) => {
    void egress.door().then((door) => door.connect(request, socket, head))
  })
  server.on('clientError', (_error, connection) => connection.destroy())
  server.maxConnections = 8 * concurrent
  if (shared !== undefined) await rm(socket, { force: true })
  server.listen(socket)
  await once(server, 'listening')
  if (shared !== undefined) await chmod(socket, 0o660)
  return {
    socket,
    used: used.promise,
    async warm() {
      await relay()
    },
    egressAuthority: async () => (await egress.door()).authority,
    async close() {
      server.close()
      server.closeAllConnections()
      await egress.close()
      await (await loading)?.close()
      await (await loadingForGit)?.close()
      await rm(shared === undefined ? directory : socket, { recursive: true, force: true })
    },
  }
}

/** What most sessions never use is loaded when one does, with connections of its own. */
const openLate = (options: DoorOptions) => {
  let relay: Promise<Relay> | undefined
  let door: Promise<EgressDoor> | undefined
  return {
    door() {
      door ??= import('./egress-door.ts').then(({ createEgressDoor }) =>
        createEgressDoor({
          ...options,
          relay() {
            relay ??= import('./relay.ts').then(({ createRelay }) => createRelay(options))
            return relay
          },
        }),
      )
      return door
    },
    async close() {
      ;(await door)?.close()
      await (await relay)?.close()
    },
  }
}

interface Handling {
  options: DoorOptions
  relay(): Promise<Relay>
  load: { requests: number; bytes: number }
  git: ReturnType<typeof createGitDoor>
  egress: ReturnType<typeof openLate>
  onUsed(): void
}

const handle = async (
  request: IncomingMessage,
  response: ServerResponse,
  handling: Handling,
): Promise<void> => {
  // Only to a proxy a whole address is sent.
  if (/^https?:\/\//i.test(request.url ?? '')) return (await handling.egress.door()).pass(request, response)
  const rule = ruleFor(request.method ?? '', request.url ?? '')
  if (rule.do === 'answer') return void response.writeHead(200).end()
  if (rule.do === 'git') return handling.git(request, response, rule.path)
  if (rule.do === 'refuse' && request.url?.startsWith('/git/') === true)
    return refuseGit(response, rule.status, rule.message)
  if (rule.do === 'refuse') return refuse(response, rule.status, rule.message)
  const { load } = handling
  if (load.requests >= concurrent) return refuse(response, 429, 'Too many model requests at once.')
  load.requests += 1
  handling.onUsed()
  try {
    await relayOne(request, response, { ...handling, path: rule.path })
  } finally {
    load.requests -= 1
  }
}

const relayOne = async (
  request: IncomingMessage,
  response: ServerResponse,
  { options, relay, load, path }: Handling & { path: string },
): Promise<void> => {
  const gone = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const { bodyLimit = 32 * 1024 * 1024, heldLimit = 256 * 1024 * 1024 } = options
  let size = 0
  const take = (bytes: number) => {
    size += bytes
    load.bytes += bytes
    return load.bytes <= heldLimit
  }
  try {
    const body = request.method === 'GET' ? undefined : await readBody(request, { limit: bodyLimit, take })
    const headers = relayedHeaders(request.headers, { token: options.token, turn: options.turn() })
    await (await relay()).send(
      { method: request.method ?? 'GET', path, headers, body },
      response,
      gone.signal,
    )
  } catch (error) {
    if (gone.signal.aborted || response.headersSent) return void response.destroy()
    if (error instanceof BodyTooLarge) return refuse(response, 413, error.message)
    if (error instanceof TooMuchAtOnce) return refuse(response, 429, error.message)
    options.onProblem(error)
    refuse(response, 502, 'The model gateway could not be reached.')
  } finally {
    load.bytes -= size
  }
}

const refuse = (response: ServerResponse, status: number, message: string): void => {
  // The rest of a refused body is not read.
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' })
  response.end(modelError(status, message))
}
