import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import {
  type EgressAnswerHead,
  type EgressRequestHead,
  egressRequestHead,
  encodeHead,
  HeadReader,
} from '@berth/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { egressRelayScript } from '../setup/egress-relay-script.ts'
import { type Door, openDoor } from './door.ts'

const run = promisify(execFile)

interface Asked {
  head: EgressRequestHead
  body: Readable
  request: IncomingMessage
}

let backend: Server
let port: number
let door: Door
let directory: string
let asked: EgressRequestHead[]
let answer: (asked: Asked, response: ServerResponse) => unknown

const frame = (response: ServerResponse, body = '', head: Partial<EgressAnswerHead> = {}) => {
  response.write(encodeHead({ status: 200, headers: [['content-type', 'text/plain']], ...head }))
  response.end(body)
}

const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const reader = new HeadReader<EgressRequestHead>(egressRequestHead)
  const pieces = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  for (;;) {
    const { done, value } = await pieces.next()
    if (done === true) return
    const taken = reader.take(value)
    if (taken === undefined) continue
    asked.push(taken.head)
    async function* read() {
      yield taken?.rest ?? Buffer.alloc(0)
      yield* { [Symbol.asyncIterator]: () => pieces }
    }
    return void (await answer({ head: taken.head, body: Readable.from(read()), request }, response))
  }
}

const listen = async () => {
  backend = createServer((request, response) => void take(request, response).catch(() => response.destroy()))
  backend.listen(port, '127.0.0.1')
  await once(backend, 'listening')
  port = (backend.address() as AddressInfo).port
}

const leave = async () => {
  backend.close()
  backend.closeAllConnections()
  await once(backend, 'close')
}

beforeEach(async () => {
  asked = []
  answer = ({ head }, response) => frame(response, `${head.method} ${head.target}`)
  port = 0
  await listen()
  directory = await mkdtemp(join(tmpdir(), 'berth-egress-'))
  door = await openDoor({
    backendUrl: `http://127.0.0.1:${port}`,
    token: 'secret-token',
    owner: { session: `ses_${randomBytes(13).toString('hex')}`, generation: 1 },
    turn: () => undefined,
    delaysMs: { first: 5, longest: 20 },
    onProblem: () => undefined,
  })
  await writeFile(join(directory, 'relay.mjs'), egressRelayScript)
  await writeFile(join(directory, 'ca.pem'), await door.egressAuthority())
})

afterEach(async () => {
  await door.close()
  if (backend.listening) await leave()
  await rm(directory, { recursive: true, force: true })
})

/** What a program prints that is started as in a sandbox. */
const program = async (command: string, ...args: string[]) => {
  const relay = [join(directory, 'relay.mjs'), door.socket, join(directory, 'ca.pem')]
  const env = { PATH: process.env.PATH ?? '', HOME: directory }
  const { stdout } = await run(process.execPath, [...relay, command, ...args], { env })
  return stdout
}

/** Sends bytes to the door and gives all that comes back. */
const raw = async (bytes: string) => {
  const socket = connectSocket(door.socket)
  socket.write(bytes)
  return text(socket)
}

/** The same inside a tunnel. */
const tunnelled = async (authority: string, bytes: string, servername = 'a.example') => {
  const socket = connectSocket(door.socket)
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  await once(socket, 'data')
  const secure = connectTls({
    socket,
    servername,
    ca: await door.egressAuthority(),
    checkServerIdentity: () => undefined,
  })
  secure.write(bytes)
  return text(secure)
}

describe('[P193] programs in a sandbox reach other hosts as if there were a network', () => {
  it('curl, by https and http, with what it sends and is answered', async () => {
    expect(await program('curl', '-sS', 'https://a.example/x?y=1')).toBe('GET /x?y=1')
    expect(await program('curl', '-sS', 'http://b.example:8080/z')).toBe('GET /z')
    answer = async ({ head, body }, response) => {
      const got = head.length === 3 ? await text(body) : ''
      frame(response, `${head.method} ${got}`, { status: 201, headers: [['X-A', '1']] })
    }
    const told = await program('curl', '-sSi', '-X', 'PUT', '-d', 'abc', 'https://a.example:8443/')
    expect(told).toMatch(/HTTP\/1.1 201 Created\r\nX-A: 1\r\n[\s\S]*PUT abc$/)
    expect(asked).toMatchObject([
      { scheme: 'https', authority: 'a.example:443', target: '/x?y=1' },
      { scheme: 'http', authority: 'b.example:8080' },
      { scheme: 'https', authority: 'a.example:8443', length: 3 },
    ])
  })

  it('Node’s fetch and Python', async () => {
    const fetching = 'fetch("https://a.example/f").then((a) => a.text()).then(console.log)'
    expect(await program(process.execPath, '-e', fetching)).toBe('GET /f\n')
    const asking = 'import urllib.request as r; print(r.urlopen("https://a.example/p").read().decode())'
    expect(await program('python3', '-c', asking)).toBe('GET /p\n')
  })

  it('and what they serve themselves without a proxy; signals and exit codes pass', async () => {
    const own = createServer((_request, response) => response.end('own')).listen(0, '127.0.0.1')
    await once(own, 'listening')
    const { port: ownPort } = own.address() as AddressInfo
    expect(await program('curl', '-sS', `http://127.0.0.1:${ownPort}/`)).toBe('own')
    own.close()
    await expect(program('sh', '-c', 'exit 7')).rejects.toMatchObject({ code: 7 })
    await expect(program('sh', '-c', 'kill -KILL $$')).rejects.toMatchObject({ signal: 'SIGKILL' })
    await expect(program('no-such-program')).rejects.toMatchObject({ code: 127 })
  })
})

describe('the door to other hosts', () => {
  it('[P190][S9] tells the backend alone who asks, and the host nothing of it', async () => {
    let token: string | undefined
    answer = ({ request, head }, response) => {
      token = request.headers.authorization
      frame(response, JSON.stringify(head))
    }
    expect(await program('curl', '-sS', '-H', 'Berth-Turn: x', 'https://a.example/')).not.toContain(
      'secret-token',
    )
    expect(token).toBe('Bearer secret-token')
  })

  it('[P190] takes no request that could be two, or that is for another host than its tunnel', async () => {
    const post = 'POST / HTTP/1.1\r\nHost: a.example\r\n'
    const smuggling = [
      `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
      `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`,
      `${post}Content-Length: +1\r\n\r\na`,
      `${post}X: a\r\n b\rY: c\r\n\r\n`,
      `${post}X : a\r\n\r\n`,
      'GET / HTTP/1.1\nHost: a.example\n\n',
      'GET / HTTP/1.1\r\n\r\n',
    ]
    for (const bytes of smuggling) expect(await tunnelled('a.example:443', bytes), bytes).not.toMatch(/ 200 /)
    const others = ['b.example', 'a.example:80', 'a.example\r\nHost: b.example', 'user@a.example']
    for (const host of others)
      expect(
        await tunnelled('a.example:443', `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
        host,
      ).not.toMatch(/ 200 /)
    expect(
      await tunnelled('a.example:443', 'GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n'),
    ).toMatch(/ 400 /)
    expect(asked).toEqual([])
    const fine = 'GET / HTTP/1.1\r\nHost: A.Example\r\nConnection: close\r\n\r\n'
    expect(await tunnelled('a.example:443', fine)).toMatch(/ 200 /)
    // Whoever trusts the authority gets a certificate for the tunnel's host, whatever else is named.
    expect(await tunnelled('a.example:443', fine, 'b.example')).toMatch(/ 200 /)
    expect(asked.map(({ authority }) => authority)).toEqual(['a.example:443', 'a.example:443'])
  })

  it('[P190] reads chunked bodies to their end, and breaks off with those that are broken', async () => {
    answer = async ({ body }, response) => frame(response, await text(body))
    const post =
      'POST / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
    expect(await tunnelled('a.example:443', `${post}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`)).toContain('abcde')
    expect(asked[0]).not.toHaveProperty('length')
    for (const body of ['zz\r\nabc', '3\r\nabcd\r\n0\r\n\r\n', '-1\r\n', 'fffffffffffffffff\r\n'])
      expect(await tunnelled('a.example:443', post + body)).not.toContain('abc')
  })

  it('asks the backend’s broker alone, whatever a program names', async () => {
    const urls: (string | undefined)[] = []
    answer = ({ request }, response) => {
      urls.push(request.url)
      frame(response)
    }
    const post = 'Host: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}'
    await raw(`POST http://127.0.0.1:${port}/runner/facts HTTP/1.1\r\n${post}`)
    await raw(`POST HTTP://127.0.0.1/../runner/facts HTTP/1.1\r\n${post}`)
    expect(urls).toEqual(['/runner/egress', '/runner/egress'])
    expect(asked.map(({ target }) => target)).toEqual(['/runner/facts', '/../runner/facts'])
  })

  it('refuses WebSockets, odd addresses and the backend’s own routes in words', async () => {
    const upgrade = 'Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n'
    const get = 'GET / HTTP/1.1\r\nHost: a.example\r\n'
    expect(await tunnelled('a.example:443', get + upgrade)).toMatch(
      / 501 [\s\S]*WebSockets are not passed on/,
    )
    expect(await raw('CONNECT a.example@b.example:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/ 400 /)
    expect(await raw('GET http://u@a.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
      / 400 /,
    )
    expect(await raw('POST /runner/egress HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(/ 404 /)
    expect(asked).toEqual([])
  })

  it('tells what the backend refuses as plain text, and hides what concerns the runner alone', async () => {
    const refuse = (status: number, detail: string) => (_: Asked, response: ServerResponse) =>
      response
        .writeHead(status, { 'content-type': 'application/problem+json' })
        .end(JSON.stringify({ detail }))
    answer = refuse(403, 'No rule for a.example. Ask an admin.')
    expect(await program('curl', '-sSi', 'https://a.example/')).toMatch(
      / 403 [\s\S]*\r\n\r\nberth: No rule for a.example. Ask an admin.\n$/,
    )
    answer = refuse(409, 'x')
    expect(await program('curl', '-sSi', 'https://a.example/')).toMatch(/HTTP\/1.1 502 /)
  })

  it('[P193] waits for a backend that is away, and sends once more only what did not arrive', async () => {
    await leave()
    const waiting = program('curl', '-sS', '-d', 'abc', 'https://a.example/')
    const tries: string[] = []
    answer = ({ head, request }, response) => {
      tries.push(head.method)
      if (tries.length === 1) return request.socket.destroy()
      frame(response, 'done')
    }
    await listen()
    // It arrived and may have been carried out: what became of it is unknown.
    expect(await waiting).toContain('went away in the middle')
    expect(await program('curl', '-sS', '-d', 'abc', 'https://a.example/')).toBe('done')
    expect(tries).toEqual(['POST', 'POST'])
    tries.length = 0
    expect(await program('curl', '-sS', 'https://a.example/')).toBe('done')
    expect(tries).toEqual(['GET', 'GET'])
  })

  it('[P193] streams large bodies both ways in constant memory', async () => {
    answer = async ({ body }, response) => {
      response.write(encodeHead({ status: 200, headers: [] }))
      for await (const chunk of body) if (!response.write(chunk)) await once(response, 'drain')
      response.end()
    }
    const file = join(directory, 'large')
    const echo = async (mebibytes: number) => {
      const size = mebibytes * 1024 ** 2
      await run('truncate', ['-s', String(size), file])
      let most = 0
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss)
      }, 20)
      const echoed = await program('sh', '-c', `curl -sS -T ${file} https://a.example/ | wc -c`)
      clearInterval(watch)
      expect(Number(echoed)).toBe(size)
      return most
    }
    // What is garbage until somebody looks for it is there after the first one already.
    const few = await echo(64)
    const many = await echo(256)
    expect(many - few).toBeLessThan(128 * 1024 ** 2)
  })
})
