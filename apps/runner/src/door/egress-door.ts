import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type Authority, createAuthority } from '../egress/authority.ts'
import { BodyTooLarge } from './body.ts'
import { passAnswer, refuseEgress } from './egress-answer.ts'
import { type EgressPlace, isFor, placeOf, readAbsolute } from './egress-place.ts'
import { egressRequest } from './egress-request.ts'
import type { Relay } from './relay.ts'

export interface EgressDoorOptions {
  token: string
  relay(): Promise<Relay>
  onProblem(error: unknown): void
}

/** The part of the door for other programs: a proxy as they know it, behind which the backend judges and asks. */
export interface EgressDoor {
  /** The certificate of the authority that programs have to trust, as PEM. */
  readonly authority: string
  /** Takes `CONNECT host:port`: ends the encryption itself, since what is asked for has to be seen to be judged. */
  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Takes a request with a whole address. */
  pass(request: IncomingMessage, response: ServerResponse): Promise<void>
  close(): void
}

/** Requests and tunnels at once; more are refused. */
const concurrent = 64
const maxTunnels = 192
/** Until a tunnel says something, and is through with its handshake; in ms. */
const handshakeMs = 30_000

export const createEgressDoor = (options: EgressDoorOptions): EgressDoor => {
  let authority: Authority | undefined
  const vouch = () => {
    authority ??= createAuthority()
    return authority
  }
  const tunnels = new Set<Duplex>()
  const places = new WeakMap<Duplex, EgressPlace>()
  const pass = createPass(options)
  const inner = createServer({ maxHeaderSize: 32 * 1024, requestTimeout: 0 }, (request, response) => {
    const place = places.get(request.socket)
    const { url = '' } = request
    if (place === undefined || !isFor(request, place))
      return refuseEgress(response, 421, 'The Host of the request is not the one that the tunnel is for.')
    if (!url.startsWith('/')) return refuseEgress(response, 400, 'Only a path is asked for in a tunnel.')
    void pass(request, response, { place, target: url })
  })
  inner.on('clientError', (_error, socket) => socket.destroy())

  const open = (socket: Duplex, place: EgressPlace, isTls: boolean) => {
    if (!isTls) return enter(socket, { ...place, scheme: 'http' })
    const secure = new TLSSocket(socket as never, {
      isServer: true,
      secureContext: vouch().contextFor(place.host),
      ALPNProtocols: ['http/1.1'],
    })
    const late = setTimeout(() => socket.destroy(), handshakeMs)
    // A program that does not trust the authority goes away here.
    secure.on('error', () => socket.destroy())
    secure.once('close', () => clearTimeout(late))
    secure.once('secure', () => {
      clearTimeout(late)
      enter(secure, place)
    })
  }
  const enter = (socket: Duplex, place: EgressPlace) => {
    places.set(socket, place)
    inner.emit('connection', socket)
  }
  return {
    get authority() {
      return vouch().pem
    },
    connect(request, socket, head) {
      socket.on('error', () => socket.destroy())
      const place = placeOf('https', request.url ?? '')
      if (place === undefined || tunnels.size >= maxTunnels) {
        const status = place === undefined ? '400 Bad Request' : '503 Service Unavailable'
        return void socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      }
      tunnels.add(socket)
      socket.once('close', () => tunnels.delete(socket))
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      if (head.length > 0) socket.unshift(head)
      void firstByte(socket).then((byte) => byte !== undefined && open(socket, place, byte === tlsHandshake))
    },
    async pass(request, response) {
      const asked = readAbsolute(request.url ?? '')
      if (asked === undefined) return refuseEgress(response, 400, 'This is no address that is passed on.')
      await pass(request, response, asked)
    },
    close() {
      inner.close()
      for (const socket of tunnels) socket.destroy()
    },
  }
}

/** The first byte of whoever begins to speak TLS. */
const tlsHandshake = 0x16

/** Looks at the first byte and leaves it where it is; undefined when none comes. */
const firstByte = (socket: Duplex): Promise<number | undefined> =>
  new Promise((resolve) => {
    const late = setTimeout(() => socket.destroy(), handshakeMs)
    const end = (byte: number | undefined) => {
      clearTimeout(late)
      socket.off('readable', look)
      resolve(byte)
    }
    const look = () => {
      const piece = socket.read() as Buffer | null
      if (piece === null) return
      socket.off('readable', look)
      socket.unshift(piece)
      end(piece[0])
    }
    socket.on('readable', look)
    socket.once('close', () => end(undefined))
  })

interface Asked {
  place: EgressPlace
  target: string
}

const createPass = ({ token, relay, onProblem }: EgressDoorOptions) => {
  let requests = 0
  const ask = async (request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> => {
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    try {
      const relayed = await egressRequest(request, { ...asked, token })
      await passAnswer(await (await relay()).ask(relayed, gone.signal), response)
    } catch (error) {
      if (gone.signal.aborted || response.headersSent) return void response.destroy()
      if (error instanceof BodyTooLarge) return refuseEgress(response, 413, error.message)
      onProblem(error)
      refuseEgress(response, 502, 'The backend could not be reached, or went away in the middle.')
    }
  }
  return async (request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> => {
    if (/\bwebsocket\b/i.test(request.headers.upgrade ?? ''))
      return refuseEgress(response, 501, 'WebSockets are not passed on: ask by plain HTTP.')
    if (requests >= concurrent) return refuseEgress(response, 429, 'Too many requests at once.')
    requests += 1
    try {
      await ask(request, response, asked)
    } finally {
      requests -= 1
    }
  }
}
