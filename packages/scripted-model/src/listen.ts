import { once } from 'node:events'
import type { Server } from 'node:http'

export interface ListenOptions {
  /** Default 0: any free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** A unix socket (at most about 100 bytes) in place of host and port. */
  socketPath?: string
}

/** A server that listens. */
export interface Listening {
  /** For `ANTHROPIC_BASE_URL`. With a socket: a name without meaning, beside `ANTHROPIC_UNIX_SOCKET`. */
  url: string
  /** Stops at once: answers under way are cut. */
  close(): Promise<void>
}

function urlOf(server: Server, host: string): string {
  const address = server.address()
  if (address === null || typeof address === 'string') return 'http://scripted-model'
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

/** Starts a server. Rejects with the system's error when the address can't be had. */
export async function listen(server: Server, options: ListenOptions): Promise<Listening> {
  const { port = 0, host = '127.0.0.1', socketPath } = options
  if (socketPath === undefined) server.listen(port, host)
  else server.listen(socketPath)
  await once(server, 'listening')
  return {
    url: urlOf(server, host),
    async close() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
