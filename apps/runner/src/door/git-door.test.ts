import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Door, openDoor } from './door.ts'
import { ruleFor } from './relayed-request.ts'

/** As git sends what is large. */
const chunked = { 'transfer-encoding': 'chunked' }
const refs = '?service=git-upload-pack'

describe('the rules of the door for git', () => {
  it.each([
    ['GET', `/git/https/github.com/org/app.git/info/refs${refs}`],
    ['GET', '/git/https/github.com/org/app/info/refs?service=git-receive-pack'],
    ['POST', '/git/https/github.com/org/app.git/git-upload-pack'],
    ['POST', '/git/http/[::1]:8080/a%20b/git-receive-pack'],
  ])('relay %s %s', (method, target) => {
    expect(ruleFor(method, target)).toEqual({ do: 'git', path: `/runner${target}` })
  })

  it.each([
    ['GET', '/git/https/github.com/org/app.git/HEAD', 404],
    ['GET', '/git/https/github.com/org/app.git/info/refs', 404],
    ['GET', `/git/https/github.com/org/app.git/info/refs${refs}&x=y`, 404],
    ['GET', '/git/https/github.com/../../hello/info/refs?service=git-upload-pack', 404],
    ['GET', `/git/https/github.com/%2e%2E/info/refs${refs}`, 404],
    ['GET', `/git/https/github.com/.%2e/info/refs${refs}`, 404],
    ['GET', `/git/https//github.com/info/refs${refs}`, 404],
    ['GET', `/git/ssh/github.com/app/info/refs${refs}`, 404],
    ['GET', `/git/https/git\\hub.com/app/info/refs${refs}`, 404],
    ['POST', '/git/https/github.com/app/git-upload-pack?x=y', 404],
    ['POST', `/git/https/github.com/app/info/refs${refs}`, 405],
    ['PUT', '/git/https/github.com/app/git-upload-pack', 405],
    ['POST', '/git', 404],
  ])('refuse %s %s', (method, target, status) => {
    expect(ruleFor(method, target)).toMatchObject({ do: 'refuse', status })
  })
})

describe('the door for git', () => {
  let backend: Server
  let port = 0
  let door: Door
  let answer: RequestListener
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
  beforeEach(async () => {
    port = 0
    await listen()
    door = await openDoor({
      backendUrl: `http://127.0.0.1:${port}`,
      token: 'secret',
      owner: { session: `ses_${randomBytes(13).toString('hex')}`, generation: 1 },
      turn: () => 'trn_1',
      delaysMs: { first: 5, longest: 20 },
      onProblem: () => undefined,
    })
  })
  afterEach(async () => {
    await door.close()
    await leave()
  })

  const start = (path: string, headers: IncomingHttpHeaders = {}, method = 'POST') => {
    const outgoing = request({ socketPath: door.socket, path: `/git/https/h/r${path}`, method, headers })
    const done = (async () => {
      const [incoming] = await once(outgoing, 'response')
      return { status: incoming.statusCode, headers: incoming.headers, body: await text(incoming) }
    })()
    return { outgoing, done }
  }

  it('passes on what git needs, with the runner’s token, and nothing else', async () => {
    let seen: IncomingHttpHeaders = {}
    answer = (incoming, response) => {
      seen = incoming.headers
      response.writeHead(200, { 'content-type': 'a/b', 'set-cookie': 'a=b', 'x-other': 'c' }).end('refs')
    }
    const given = {
      'git-protocol': 'version=2',
      authorization: 'Basic x',
      cookie: 'a=b',
      'user-agent': 'git/2.40',
    }
    const { outgoing, done } = start(`/info/refs${refs}`, given, 'GET')
    outgoing.end()
    expect(await done).toMatchObject({ status: 200, body: 'refs' })
    expect((await done).headers).not.toHaveProperty('set-cookie')
    const { host: _, connection: __, ...rest } = seen
    expect(rest).toEqual({
      authorization: 'Bearer secret',
      'git-protocol': 'version=2',
      'user-agent': 'git/2.40',
    })
  })

  it('streams a push of more than a model request may have, both ways', async () => {
    const size = 40 * 1024 * 1024
    answer = async (incoming, response) => {
      const bytes = await buffer(incoming)
      response.end(String(bytes.length))
    }
    const { outgoing, done } = start('/git-receive-pack', chunked)
    for (let sent = 0; sent < size; sent += 1024 * 1024)
      if (!outgoing.write(Buffer.alloc(1024 * 1024))) await once(outgoing, 'drain')
    outgoing.end()
    expect((await done).body).toBe(String(size))
  })

  it('waits for a backend that is away, also with a push of which nothing was sent', async () => {
    await leave()
    const fetching = start('/git-upload-pack', { 'content-length': '4' })
    fetching.outgoing.end('0000')
    const pushing = start('/git-receive-pack', chunked)
    pushing.outgoing.end('pack')
    answer = (incoming, response) => incoming.pipe(response)
    await listen()
    expect(await fetching.done).toMatchObject({ status: 200, body: '0000' })
    expect(await pushing.done).toMatchObject({ status: 200, body: 'pack' })
  })

  it('sends a fetch again that the backend dropped, but no push that it has begun to read', async () => {
    let asked = 0
    answer = (incoming, response) => {
      asked += 1
      if (asked === 1 || incoming.url?.endsWith('git-receive-pack'))
        incoming.once('data', () => incoming.destroy())
      else response.end('again')
    }
    const fetching = start('/git-upload-pack', { 'content-length': '4' })
    fetching.outgoing.end('0000')
    expect(await fetching.done).toMatchObject({ status: 200, body: 'again' })
    const pushing = start('/git-receive-pack', chunked)
    pushing.outgoing.end('pack')
    expect(await pushing.done).toMatchObject({
      status: 502,
      body: 'berth: The git proxy could not be reached.\n',
    })
    expect(asked).toBe(3)
  })

  it('brings a redirect of the backend back as one of its own, and tells refusals as git prints them', async () => {
    answer = (_incoming, response) =>
      response.writeHead(307, { location: `/runner/git/https/h/r.git/info/refs${refs}` }).end()
    const moved = start(`/info/refs${refs}`, {}, 'GET')
    moved.outgoing.end()
    expect((await moved.done).headers.location).toBe(`/git/https/h/r.git/info/refs${refs}`)
    const refused = start('/HEAD', {}, 'GET')
    refused.outgoing.end()
    expect(await refused.done).toMatchObject({
      status: 404,
      body: 'berth: Only git’s own requests are passed on.\n',
    })
  })
})
