import { BerthError, makeId, toProblem } from '@berth/contract'
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import { type Ambient, createClient, createRunnerClient, isApiError, isConnectionError } from './index.ts'
import { sendJson, serveTest, type TestServer } from './test-server.ts'

const session = makeId('session', 1_700_000_000_000, new Uint8Array(10))
const params = { project: 'default', session }
const slept: number[] = []
/** Time that stands still: sleeps end at once and are noted; those of a request's time-out last until it is done. */
const ambient: Ambient = {
  now: () => 0,
  random: () => 0.5,
  sleep: (ms, signal) => {
    if (ms === 30_000) return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
    slept.push(ms)
    return Promise.resolve()
  },
}

let server: TestServer | undefined
afterEach(async () => {
  slept.length = 0
  await server?.close()
  server = undefined
})

const problemOf = (...args: ConstructorParameters<typeof BerthError>) =>
  toProblem(new BerthError(...args), 'req-7')
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a call', () => {
  test('builds the request from the row', async () => {
    server = await serveTest((_, response) => sendJson(response, 200, { items: [] }))
    const client = createClient({
      baseUrl: `${server.url}/`,
      token: () => 'secret',
      headers: { 'x-app': 'test' },
    })
    await client.listSessions({
      params: { project: 'a b' },
      query: { phase: ['idle', 'working'], text: 'x&y', limit: 5 },
    })
    await client.updateSession({ params, body: { title: 'New' }, ifMatch: 3 })
    const [list, update] = server.requests
    expect(list?.url).toBe('/api/projects/a%20b/sessions?phase=idle&phase=working&text=x%26y&limit=5')
    expect(list?.headers).toMatchObject({ authorization: 'Bearer secret', 'x-app': 'test' })
    expect(update).toMatchObject({ method: 'PATCH', body: '{"title":"New"}' })
    expect(update?.headers).toMatchObject({ 'if-match': '"3"', 'content-type': 'application/json' })
    expect(update?.headers['idempotency-key']).toBeUndefined()
  })

  test('refuses a parameter that would lead to another route', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:1' })
    for (const project of ['..', '.', ''])
      expect(() => client.getProject({ params: { project } })).toThrow(/needs a project/)
  })

  test('is typed by its row', () => {
    const client = createClient({ baseUrl: 'http://x' })
    expectTypeOf(client.getSystem).returns.resolves.toHaveProperty('version')
    expectTypeOf(client.getPatch).returns.resolves.toEqualTypeOf<string>()
    expectTypeOf(client.deleteFile).returns.resolves.toEqualTypeOf<undefined>()
    // @ts-expect-error a name that no row has
    expect(client.nothing).toBeUndefined()
    // @ts-expect-error the version is needed
    const update = () => client.updateSession({ params, body: {} })
    // @ts-expect-error the params are needed
    const get = () => client.getSession()
    // @ts-expect-error not a phase
    const list = () => client.listSessions({ params: { project: 'p' }, query: { phase: ['asleep'] } })
    expect([update, get, list]).toHaveLength(3)
    expect('login' in client).toBe(false)
  })

  test('gives a problem as an error with all that it says', async () => {
    const fields = [{ field: 'body.title', message: 'too long' }]
    server = await serveTest((_, response) =>
      sendJson(response, 400, problemOf('invalid_input', 'The title is too long.', fields)),
    )
    const error = await caught(
      createClient({ baseUrl: server.url }).createSession({ params: { project: 'p' }, body: {} }),
    )
    expect(isApiError(error)).toBe(true)
    expect(error).toMatchObject({
      code: 'invalid_input',
      status: 400,
      requestId: 'req-7',
      fields,
      message: 'The title is too long.',
    })
  })

  test('maps a code that it does not know by its status', async () => {
    server = await serveTest((_, response) =>
      sendJson(response, 409, { ...problemOf('fenced', 'New.'), code: 'from_the_future' }),
    )
    const error = await caught(createClient({ baseUrl: server.url }).getSession({ params }))
    expect(error).toMatchObject({ status: 409, message: 'New.' })
  })

  test.each([
    [
      'another server',
      (r: Parameters<typeof sendJson>[0]) => r.writeHead(404).end('<h1>nginx</h1>'),
      'unexpected',
    ],
    [
      'something that is not JSON',
      (r: Parameters<typeof sendJson>[0]) => r.writeHead(200).end('hello'),
      'unexpected',
    ],
    ['a connection that closes', (r: Parameters<typeof sendJson>[0]) => r.destroy(), 'unreachable'],
  ])('gives a connection error for %s', async (_, answer, kind) => {
    server = await serveTest((_request, response) => void answer(response))
    const error = await caught(
      createClient({ baseUrl: server.url, retry: { attempts: 1 } }).getSession({ params }),
    )
    expect(isConnectionError(error) && error.kind).toBe(kind)
  })

  test('gives a connection error where nothing listens', async () => {
    const error = await caught(createClient({ baseUrl: 'http://127.0.0.1:1', ambient }).getSystem())
    expect(isConnectionError(error) && error.message).toMatch(
      /Berth can't be reached at http:\/\/127\.0\.0\.1:1/,
    )
    expect(slept).toEqual([150, 300, 600])
  })

  test('gives up after its time-out', async () => {
    server = await serveTest(() => undefined)
    const error = await caught(
      createClient({ baseUrl: server.url, timeoutMs: 20, retry: { attempts: 1 } }).getSystem(),
    )
    expect(isConnectionError(error) && error.kind).toBe('timeout')
  })

  test('ends with the reason of the caller’s signal', async () => {
    const abort = new AbortController()
    server = await serveTest(() => abort.abort(new Error('enough')))
    const error = await caught(createClient({ baseUrl: server.url }).getSystem({ signal: abort.signal }))
    expect(error).toMatchObject({ message: 'enough' })
  })
})

describe('retries', () => {
  const failing = (times: number, answer: (r: Parameters<typeof sendJson>[0]) => void) => {
    let count = 0
    return serveTest((_, response) =>
      ++count <= times ? answer(response) : sendJson(response, 200, { ok: true }),
    )
  }

  test('send the same idempotency key again', async () => {
    server = await failing(2, (response) => response.destroy())
    await createClient({ baseUrl: server.url, ambient }).stopSession({ params })
    const keys = server.requests.map((request) => request.headers['idempotency-key'])
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
    expect(String(keys[0])).toMatch(/^[0-9a-f]{32}$/)
  })

  test('wait as long as Retry-After asks', async () => {
    server = await failing(1, (r) =>
      sendJson(r.setHeader('retry-after', '2'), 503, problemOf('unavailable', 'Starting.')),
    )
    await createClient({ baseUrl: server.url, ambient }).getSystem()
    expect(slept).toEqual([2000])
  })

  test.each([
    ['a Retry-After beyond the bound', { status: 503, body: problemOf('unavailable', 'x'), wait: '3600' }],
    ['429 without Retry-After', { status: 429, body: problemOf('queue_full', 'x'), wait: '' }],
    ['what is not retryable', { status: 409, body: problemOf('no_turn', 'x'), wait: '1' }],
  ])('are not tried for %s', async (_, { status, body, wait }) => {
    server = await failing(1, (response) => {
      if (wait !== '') response.setHeader('retry-after', wait)
      sendJson(response, status, body)
    })
    expect(
      isApiError(await caught(createClient({ baseUrl: server.url, ambient }).stopSession({ params }))),
    ).toBe(true)
    expect(server.requests).toHaveLength(1)
  })

  test('are not tried when doing it twice would do more than once', async () => {
    server = await failing(1, (response) => response.destroy())
    const error = await caught(createClient({ baseUrl: server.url, ambient }).deleteSession({ params }))
    expect(isConnectionError(error)).toBe(true)
    expect(server.requests).toHaveLength(1)
  })

  test('are bounded', async () => {
    server = await failing(100, (response) => response.destroy())
    await caught(createClient({ baseUrl: server.url, ambient, retry: { attempts: 3 } }).getSystem())
    expect(server.requests).toHaveLength(3)
  })
})

test('listAll follows the cursors', async () => {
  server = await serveTest((request, response) => {
    const cursor = new URL(request.url ?? '', 'http://x').searchParams.get('cursor')
    sendJson(response, 200, cursor === null ? { items: [1, 2], next: 'c2' } : { items: [3] })
  })
  const got: unknown[] = []
  for await (const item of createClient({ baseUrl: server.url }).listAll('listSessions', {
    params: { project: 'p' },
  }))
    got.push(item)
  expect(got).toEqual([1, 2, 3])
})

describe('the runner’s client', () => {
  test('says hello, appends facts, and stores bytes again after a break', async () => {
    let puts = 0
    server = await serveTest((request, response) => {
      if (request.url?.startsWith('/runner/blobs/'))
        return ++puts === 1 ? response.destroy() : response.writeHead(204).end()
      if (request.url === '/runner/heartbeat') return response.writeHead(204).end()
      sendJson(response, 200, { n: 1 })
    })
    const runner = createRunnerClient({ baseUrl: server.url, token: 'run', ambient })
    expect(await runner.hello()).toEqual({ n: 1 })
    const fact = { n: 1, at: '2026-01-01T00:00:00.000Z', type: 'agent.status', data: { status: 'Reading' } }
    expect(await runner.facts({ generation: 1, facts: [fact] })).toEqual({ n: 1 })
    expect(await runner.heartbeat({ processes: 3 })).toBeUndefined()
    const blob = 'a'.repeat(64)
    await runner.putBlob(blob, () => new Blob(['hello']).stream())
    expect(server.requests.map((request) => `${request.method} ${request.url}`)).toEqual([
      'POST /runner/hello',
      'POST /runner/facts',
      'POST /runner/heartbeat',
      `PUT /runner/blobs/${blob}`,
      `PUT /runner/blobs/${blob}`,
    ])
    expect(server.requests.at(-1)).toMatchObject({ body: 'hello', headers: { authorization: 'Bearer run' } })
  })

  test('reads bytes as a stream', async () => {
    server = await serveTest((_, response) =>
      response.writeHead(200, { 'content-type': 'image/png' }).end('png'),
    )
    const { mediaType, stream } = await createRunnerClient({ baseUrl: server.url }).getBlob('b'.repeat(64))
    expect([mediaType, await new Response(stream).text()]).toEqual(['image/png', 'png'])
  })
})
