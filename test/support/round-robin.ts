import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** Spreads requests over backends, one after another and past those that are not there, and adds nothing to them. */
export interface RoundRobin {
  url: string
  close(): Promise<void>
}

/** Starts one in front of these ports. */
export const roundRobin = async (ports: readonly number[]): Promise<RoundRobin> => {
  let next = 0
  const reach = async (): Promise<Socket | undefined> => {
    for (const _ of ports) {
      const socket = connect(ports[next++ % ports.length] ?? 0, '127.0.0.1')
      const connected = await once(socket, 'connect').then(
        () => true,
        () => false,
      )
      if (connected) return socket
    }
    return undefined
  }
  const server = createServer(async (incoming, response) => {
    const socket = await reach()
    if (socket === undefined || response.destroyed) return void incoming.socket.destroy()
    pass(incoming, response, socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/** A backend that breaks off breaks off for its client, too. */
const pass = (incoming: IncomingMessage, response: ServerResponse, socket: Socket): void => {
  const { method, url, rawHeaders } = incoming
  const outgoing = request({ method, path: url, createConnection: () => socket, setDefaultHeaders: false })
  for (const name of new Set(rawHeaders.filter((_, index) => index % 2 === 0)))
    outgoing.setHeader(name, incoming.headers[name.toLowerCase()] ?? '')
  outgoing.setHeader('connection', 'close')
  outgoing.on('error', () => incoming.socket.destroy())
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, { ...answer.headers, connection: 'keep-alive' })
    response.flushHeaders()
    answer.on('error', () => incoming.socket.destroy())
    answer.on('aborted', () => incoming.socket.destroy())
    answer.pipe(response)
  })
  response.on('close', () => socket.destroy())
  incoming.on('error', () => socket.destroy())
  incoming.pipe(outgoing)
}
