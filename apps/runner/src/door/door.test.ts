import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type IncomingHttpHeaders, type RequestListener, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Door, type DoorOptions, openDoor } from './door.ts'
import { relayedHeaders, ruleFor } from './relayed-request.ts'

describe('the rules of the door', () => {
  it.each([
    ['POST', '/v1/messages', '/runner/model/v1/messages'],
    ['POST', '/v1/messages?beta=true', '/runner/model/v1/messages?beta=true'],
    ['POST', '/v1/messages/count_tokens?beta=true', '/runner/model/v1/messages/count_tokens?beta=true'],
    ['GET', '/v1/models', '/runner/model/v1/models'],
    ['GET', '/v1/models?limit=10', '/runner/model/v1/models?limit=10'],
    ['GET', '/v1/models/claude-sonnet-4-5', '/runner/model/v1/models/claude-sonnet-4-5'],
  ])('relay %s %s', (method, target, path) => {
    expect(ruleFor(method, target)).toEqual({ do: 'relay', path })
  })

  it.each([
    ['GET', '/runner/hello', 404],
    ['POST', '/runner/facts', 404],
    ['POST', '/v1/messages/../../hello', 404],
    ['POST', '/v1/messages/', 404],
    ['POST', '//v1/messages', 404],
    ['POST', '/v1/messages%2f..', 404],
    ['POST', '/v1/messages/batches', 404],
    ['GET', '/v1/models/..', 404],
    ['GET', '/v1/models/%2e%2e', 404],
    ['GET', '/v1/models/a/b', 404],
    ['GET', 'http://example.com/v1/models', 404],
    ['POST', '/v1/files', 404],
    ['POST', '/', 404],
    ['GET', '/v1/messages', 405],
    ['CONNECT', '/v1/messages', 405],
    ['POST', '/v1/messages?a=/../x', 403],
    ['POST', '/v1/messages?a=b#c', 403],
  ])('refuse %s %s', (method, target, status) => {
    expect(ruleFor(method, target)).toMatchObject({ do: 'refuse', status })
  })

  it.each(['HEAD', 'GET'])('answer %s / themselves', (method) => {
    expect(ruleFor(method, '/')).toEqual({ do: 'answer', status: 200 })
  })

  it('pass on what the model needs and nothing that says who asks', () => {
    const headers = {
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'a,b',
      'x-api-key': 'dummy',
      authorization: 'Bearer agent',
      cookie: 'a=b',
      host: 'x',
      connection: 'keep-alive',
      'transfer-encoding': 'chunked',
      'berth-turn': 'forged',
      'x-forwarded-for': '1.2.3.4',
    }
    expect(relayedHeaders(headers, { token: 'secret', turn: 'trn_1' })).toEqual({
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'a,b',
      authorization: 'Bearer secret',
      'berth-turn': 'trn_1',
    })
  })
})

describe('the door', () => {
  let backend: Server
  let port = 0
  let door: Door
  let answer: RequestListener
  let generation = 0
  const session = `ses_${randomBytes(13).toString('hex')}`
  const opened: Door[] = []
  const listen = async () => {
    backend = createServer((incoming, response) => answer(incoming, response)).listen(port, '127.0.0.1')
    await once(backend, 'listening')
    port = (backend.address() as AddressInfo).port
  }
  const leave = async () => {
    backend.close()
    backend.closeAllConnections()
    if (backend.listening) await once(backend, 'close')
  }
  const open = async (more: Partial<DoorOptions> = {}) => {
    door = await openDoor({
      backendUrl: `http://127.0.0.1:${port}`,
      token: 'secret',
      owner: { session, generation: ++generation },
      turn: () => 'trn_1',
      delaysMs: { first: 5, longest: 20 },
      onProblem: () => undefined,
      ...more,
    })
    opened.push(door)
  }
  beforeEach(async () => {
    port = 0
    answer = (_incoming, response) => response.end('ok')
    await listen()
    await open()
  })
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close()
    await leave()
  })

  const ask = (path: string, body?: string | Buffer, method = 'POST') => {
    const outgoing = request({
      socketPath: door.socket,
      path,
      method,
      headers: { 'content-type': 'application/json' },
    })
    outgoing.end(body)
    const done = (async () => {
      const [incoming] = await once(outgoing, 'response')
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk)
      const { statusCode, headers } = incoming as { statusCode: number; headers: IncomingHttpHeaders }
      return { status: statusCode, headers, body: Buffer.concat(chunks).toString('utf8') }
    })()
    return { outgoing, done }
  }

  it('lies where only this user gets in, and is gone afterwards', async () => {
    expect(statSync(dirname(door.socket)).mode & 0o777).toBe(0o700)
    expect(Buffer.byteLength(door.socket)).toBeLessThanOrEqual(100)
    await door.close()
    expect(existsSync(dirname(door.socket))).toBe(false)
  })

  it('removes what killed generations before it left', async () => {
    const left = door.socket
    await open()
    expect(existsSync(dirname(left))).toBe(false)
    expect((await ask('/v1/messages', '{}').done).status).toBe(200)
  })

  it('adds token and turn, and brings the answer as it is', async () => {
    let seen: IncomingHttpHeaders = {}
    answer = (incoming, response) => {
      seen = incoming.headers
      response.writeHead(529, {
        'content-type': 'application/json',
        'retry-after': '7',
        'set-cookie': 'a=b',
        'x-request-id': 'r',
      })
      incoming.pipe(response)
    }
    const { status, headers, body } = await ask('/v1/messages', '{"model":"x"}').done
    expect({ status, body }).toEqual({ status: 529, body: '{"model":"x"}' })
    expect(seen).toMatchObject({ authorization: 'Bearer secret', 'berth-turn': 'trn_1' })
    expect(headers).toMatchObject({ 'retry-after': '7', 'x-request-id': 'r' })
    expect(headers['set-cookie']).toBeUndefined()
  })

  it('streams: a first piece comes before the last is sent', async () => {
    const release = Promise.withResolvers<void>()
    answer = async (_incoming, response) => {
      response.write('first')
      await release.promise
      response.end('last')
    }
    const outgoing = request({ socketPath: door.socket, path: '/v1/messages', method: 'POST' }).end('{}')
    const [incoming] = await once(outgoing, 'response')
    const [first] = await once(incoming, 'data')
    expect(String(first)).toBe('first')
    release.resolve()
    const [last] = await once(incoming, 'data')
    expect(String(last)).toBe('last')
  })

  it('brings the head of an answer before its first piece is there', async () => {
    const release = Promise.withResolvers<void>()
    answer = async (_incoming, response) => {
      response.writeHead(200, { 'request-id': 'r' }).flushHeaders()
      await release.promise
      response.end('all')
    }
    const { outgoing, done } = ask('/v1/messages', '{}')
    const [incoming] = await once(outgoing, 'response')
    expect(incoming.headers).toMatchObject({ 'request-id': 'r' })
    release.resolve()
    expect((await done).body).toBe('all')
  })

  it('waits for a backend that is away, and sends the request once it is back', async () => {
    await leave()
    const { done } = ask('/v1/messages', 'body')
    answer = (incoming, response) => incoming.pipe(response)
    await listen()
    expect(await done).toMatchObject({ status: 200, body: 'body' })
  })

  it('tries again when the backend says so, but passes on the upstream’s own 503', async () => {
    let asked = 0
    answer = (_incoming, response) => {
      asked += 1
      response.writeHead(503, asked < 3 ? { 'berth-retry': '1' } : {}).end('overloaded')
    }
    expect(await ask('/v1/messages', '{}').done).toMatchObject({ status: 503, body: 'overloaded' })
    expect(asked).toBe(3)
  })

  it('gives up after its patience with an error that Claude Code understands', async () => {
    await leave()
    await open({ patienceMs: 30 })
    const { status, body } = await ask('/v1/messages', '{}').done
    expect(status).toBe(502)
    expect(JSON.parse(body)).toMatchObject({ type: 'error', error: { type: 'api_error' } })
  })

  it('cuts the answer where the backend’s breaks off', async () => {
    answer = (_incoming, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    }
    await expect(ask('/v1/messages', '{}').done).rejects.toThrow()
  })

  it('ends the backend’s work when the agent leaves', async () => {
    const left = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    answer = (_incoming, response) => {
      response.on('close', () => left.resolve())
      response.write('…')
      begun.resolve()
    }
    const { outgoing, done } = ask('/v1/messages', '{}')
    done.catch(() => undefined)
    await begun.promise
    outgoing.destroy()
    await left.promise
  })

  it('refuses a body over its limit', async () => {
    await open({ bodyLimit: 1000 })
    const { status, body } = await ask('/v1/messages', Buffer.alloc(1001)).done
    expect(status).toBe(413)
    expect(JSON.parse(body).error.type).toBe('request_too_large')
  })

  it('holds no more of half-sent bodies than it may (P14)', async () => {
    await open({ heldLimit: 100_000 })
    const outgoing = request({
      socketPath: door.socket,
      path: '/v1/messages',
      method: 'POST',
      headers: { 'content-length': 1_000_000 },
    })
    outgoing.on('error', () => undefined)
    outgoing.write(Buffer.alloc(150_000))
    const [incoming] = await once(outgoing, 'response')
    expect(incoming.statusCode).toBe(429)
    outgoing.destroy()
    expect((await ask('/v1/messages', Buffer.alloc(90_000)).done).status).toBe(200)
  })

  it('removes nothing of others in the temporary directory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-others-'))
    writeFileSync(join(directory, 'door.sock'), 'precious')
    const link = join(tmpdir(), `berth-door-${session.slice(-26)}-0`)
    symlinkSync(directory, link)
    try {
      await open()
      expect(readFileSync(join(directory, 'door.sock'), 'utf8')).toBe('precious')
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
    } finally {
      rmSync(link)
      rmSync(directory, { recursive: true })
    }
  })

  it.each([
    [
      'two lengths',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 4\r\n\r\n{}{}',
    ],
    [
      'length and chunks',
      'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /runner/hello HTTP/1.1\r\n\r\n',
    ],
    ['a bare line feed', 'POST /v1/messages HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}'],
    ['a header with a line feed', 'POST /v1/messages HTTP/1.1\r\nHost: x\r\nanthropic-beta: a\rb: c\r\n\r\n'],
    ['a space before the colon', 'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length : 2\r\n\r\n{}'],
    [
      'a huge header',
      `POST /v1/messages HTTP/1.1\r\nHost: x\r\nanthropic-beta: ${'a'.repeat(40_000)}\r\n\r\n`,
    ],
  ])('lets no request with %s through to the backend', async (_, text) => {
    answer = () => expect.unreachable()
    const socket = connect(door.socket)
    socket.on('error', () => undefined)
    socket.write(text)
    const chunks: string[] = []
    socket.on('data', (chunk) => chunks.push(String(chunk)))
    await once(socket, 'close')
    expect(chunks.join('')).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
    expect(chunks.join('')).not.toContain('secret')
  })

  it('does not upgrade a connection', async () => {
    let seen: IncomingHttpHeaders = {}
    answer = (incoming, response) => {
      seen = incoming.headers
      response.end('ok')
    }
    const headers = { connection: 'upgrade', upgrade: 'h2c' }
    const outgoing = request({ socketPath: door.socket, path: '/v1/models', headers }).end()
    const [incoming] = await once(outgoing, 'response')
    expect(incoming.statusCode).toBe(200)
    expect(seen.upgrade).toBeUndefined()
    incoming.resume()
  })

  it('refuses other paths without asking the backend', async () => {
    answer = () => expect.unreachable()
    expect((await ask('/runner/hello').done).status).toBe(404)
    expect((await ask('/', undefined, 'HEAD').done).status).toBe(200)
  })
})
