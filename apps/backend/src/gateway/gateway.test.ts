import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { EventData } from '@berth/contract'
import type { RunnerSpec } from '@berth/runtime'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { eventually, modelKey, type TestBackend, withBackend, withServer } from '../test-backend.ts'
import { Ledger } from './ledger.ts'

const turn = 'trn_01m855ymq0fmba5kdj51nnmvf3'

const sse = (data: { type: string; [name: string]: unknown }) =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const start = sse({
  type: 'message_start',
  message: { model: 'claude-sonnet-4-5', usage: { input_tokens: 1000, output_tokens: 1 } },
})
const delta = sse({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } })
const rest =
  sse({ type: 'message_delta', delta: {}, usage: { output_tokens: 500 } }) + sse({ type: 'message_stop' })
const stream = { 'content-type': 'text/event-stream' }

interface World {
  backend: TestBackend
  spec: RunnerSpec
  /** Events of a kind that the gateway has put into the log. */
  logged: <T>(type: 'model.usage' | 'model.error') => Promise<T[]>
  post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>
}

/** A live session whose model is the given server. */
const withUpstream = (handler: RequestListener, test: (world: World) => Promise<void>, apiKey = modelKey) =>
  withServer(handler, (url) =>
    withBackend(
      async (backend) => {
        const { session, spec } = await backend.idleSession()
        const events = `/api/projects/default/sessions/${session}/events`
        await test({
          backend,
          spec,
          logged: async <T>(type: string) => {
            const { body } = await backend.call<{ items: { type: string; data: T }[] }>(events)
            return body.items.filter((event) => event.type === type).map(({ data }) => data)
          },
          post: (path, body = { model: 'claude-sonnet-4-5' }, headers = {}) =>
            fetch(`${backend.runnerUrl}/runner/model${path}`, {
              method: 'POST',
              headers: {
                authorization: `Bearer ${spec.token}`,
                'content-type': 'application/json',
                'berth-turn': turn,
                ...headers,
              },
              body: typeof body === 'string' ? body : JSON.stringify(body),
            }),
        })
      },
      {
        source: {
          kind: async () => 'live',
          upstream: async () => (apiKey === '' ? undefined : { baseUrl: `${url}/base/`, apiKey }),
        },
      },
    ),
  )

const one = <T>(list: () => Promise<T[]>) => eventually('an event', async () => (await list())[0])

describe('a request', () => {
  it('is passed on with the real key, and with nothing that the agent says about who it is', async () => {
    const seen: IncomingMessage[] = []
    await withUpstream(
      (req, res) => {
        seen.push(req)
        res
          .writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'a=b', 'request-id': 'req_1' })
          .end('{}')
      },
      async ({ post }) => {
        const answer = await post('/v1/messages?beta=true', undefined, {
          'x-api-key': 'agent',
          cookie: 'c',
          'anthropic-beta': 'tools-1,tools-2',
          'anthropic-version': '2023-06-01',
          'x-forwarded-user': 'admin',
        })
        expect(answer.status).toBe(200)
        expect(Object.fromEntries(answer.headers)).toMatchObject({ 'request-id': 'req_1' })
        expect(answer.headers.get('set-cookie')).toBeNull()
        const { url, headers } = seen[0] ?? { url: '', headers: {} }
        expect(url).toBe('/base/v1/messages?beta=true')
        expect(headers).toMatchObject({
          'x-api-key': modelKey,
          'anthropic-beta': 'tools-1,tools-2',
          'anthropic-version': '2023-06-01',
          'accept-encoding': 'identity',
        })
        for (const name of ['authorization', 'cookie', 'x-forwarded-user', 'berth-turn'])
          expect(headers).not.toHaveProperty(name)
      },
    )
  })

  it('[P183] is answered with those headers alone that a list names: no cookie, and no word of Berth’s', () =>
    withUpstream(
      (_, res) =>
        res
          .writeHead(200, {
            ...{ 'content-type': 'application/json', 'request-id': 'req_1', 'retry-after': '3' },
            ...{ 'anthropic-ratelimit-tokens-remaining': '5', 'anthropic-organization-id': 'org' },
            ...{ 'berth-paused': turn, 'berth-retry': '1', 'set-cookie': 'a=b', location: 'http://x/' },
            ...{ server: 'x', 'cf-ray': 'x', trailer: 'x-late', 'proxy-authenticate': 'Basic' },
          })
          .end('{}'),
      async ({ post }) => {
        const { headers } = await post('/v1/messages')
        const names = [...headers.keys()].filter(
          (name) => !['date', 'connection', 'keep-alive'].includes(name),
        )
        expect(names.sort()).toEqual([
          'anthropic-ratelimit-tokens-remaining',
          'content-type',
          'request-id',
          'retry-after',
          'transfer-encoding',
        ])
      },
    ))

  it('is passed on with what of its query the endpoint knows', async () => {
    const seen: (string | undefined)[] = []
    await withUpstream(
      (req, res) => {
        seen.push(req.url)
        res.end('{}')
      },
      async ({ post }) => {
        await post('/v1/messages?beta=true&key=x&beta=false#y')
        await post('/v1/messages?x=%0d%0aevil')
      },
    )
    expect(seen).toEqual(['/base/v1/messages?beta=true', '/base/v1/messages'])
  })

  it('is not led elsewhere by the upstream', () =>
    withUpstream(
      (_, res) => res.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
      async ({ post }) => {
        const answer = await post('/v1/messages')
        expect([answer.status, await answer.text()]).toEqual([502, expect.stringContaining('redirect (307)')])
      },
    ))

  it('may have 32 MB, and not more', async () => {
    let size = 0
    await withUpstream(
      async (req, res) => {
        size = (await buffer(req)).length
        res.end('{}')
      },
      async ({ post }) => {
        const body = (bytes: number) => `{"model":"m","x":"${'y'.repeat(bytes - 20)}"}`
        expect((await post('/v1/messages', body(32 * 1024 * 1024))).status).toBe(200)
        expect(size).toBeGreaterThan(32 * 1024 * 1024 - 10)
        expect((await post('/v1/messages', body(33 * 1024 * 1024))).status).toBe(413)
      },
    )
  })

  it.each([
    '/v1/messages/../../x',
    '/v1/messages/..%2f..%2fx',
    '//v1/messages',
    '/v1//messages',
    '/v1/messages/',
    '/v1/messages%2fcount_tokens',
    '/V1/messages',
    '/v1/organizations',
    '/v1/models/..',
    '/v1/models/../files',
    '/',
    '',
  ])('to %s goes nowhere', async (path) => {
    let asked = 0
    await withUpstream(
      (_, res) => {
        asked += 1
        res.end('{}')
      },
      async ({ backend, spec }) => {
        for (const method of ['GET', 'POST']) {
          const { port } = new URL(backend.runnerUrl)
          const status = await new Promise<number>((resolve, reject) => {
            // As it is: fetch would tidy the path up.
            const headers = { authorization: `Bearer ${spec.token}` }
            const sent = request({ port, host: '127.0.0.1', path: `/runner/model${path}`, method, headers })
            sent.on('response', (response) => resolve(response.resume().statusCode ?? 0))
            sent.on('error', reject)
            sent.end()
          })
          expect([method, status]).toEqual([method, 404])
        }
        expect(asked).toBe(0)
      },
    )
  })

  it('is answered as soon as the model begins to answer, and with nothing of it before', async () => {
    const release = Promise.withResolvers<void>()
    await withUpstream(
      async (_, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'req_1' }).flushHeaders()
        await release.promise
        res.end('event: ping\n\n')
      },
      async ({ post }) => {
        const answer = await post('/v1/messages')
        expect(answer.headers.get('request-id')).toBe('req_1')
        release.resolve()
        expect(await answer.text()).toBe('event: ping\n\n')
      },
    )
  })

  it('waits for what was used to be stored only where a budget counts it, or when too much of it is on its way', async () => {
    let asked = 0
    await withUpstream(
      (_, res) => {
        asked += 1
        res
          .setHeader('content-type', 'application/json')
          .end('{"usage":{"input_tokens":1,"output_tokens":1}}')
      },
      async ({ backend, post, logged }) => {
        const { store } = backend.parts
        const open = Promise.withResolvers<void>()
        const settle = vi.spyOn(Ledger.prototype, 'settle')
        onTestFinished(() => settle.mockRestore())
        const append = store.append.bind(store)
        store.append = async (request) => {
          if (request.command.kind === 'usage') await open.promise
          return append(request)
        }
        for (let i = 0; i < 5; i++) expect((await post('/v1/messages')).status).toBe(200)
        expect([asked, (await logged('model.usage')).length]).toEqual([5, 0])
        expect(settle).not.toHaveBeenCalled()
        const late = post('/v1/messages')
        await vi.waitFor(() => expect(settle).toHaveBeenCalledOnce(), 20_000)
        open.resolve()
        expect((await late).status).toBe(200)
        await eventually('all of it', async () =>
          (await logged('model.usage')).length === 6 ? true : undefined,
        )
      },
    )
  })

  it('that only probes is answered without the model', () =>
    withUpstream(
      (_, res) => res.writeHead(500).end(),
      async ({ backend, spec }) => {
        const answer = await backend.callRunner(spec.token, '/runner/model/v1/messages', { method: 'HEAD' })
        expect(answer).toMatchObject({ status: 404, body: '' })
      },
    ))

  it('without a key gets a clear answer', () =>
    withUpstream(
      (_, res) => res.end('{}'),
      async ({ post }) => {
        const answer = await post('/v1/messages')
        expect(answer.status).toBe(401)
        expect(await answer.json()).toMatchObject({
          type: 'error',
          error: { type: 'authentication_error', message: expect.stringContaining('berth model-key set') },
        })
      },
      '',
    ))

  it('may only name models that the project allows, however it writes them', async () => {
    const bodies: string[] = []
    await withUpstream(
      async (req, res) => {
        bodies.push(String(await buffer(req)))
        res.end('{}')
      },
      async ({ backend, post }) => {
        const settings = '/api/projects/default/settings'
        const headers = { 'if-match': '"1"' }
        await backend.call(settings, {
          method: 'PATCH',
          headers,
          body: { allowedModels: ['claude-haiku-*'] },
        })
        const refused = [
          '{"model":"claude-opus-4-5"}',
          '{"model":"claude-haiku-4-5","model":"claude-opus-4-5"}',
          '\ufeff{"model":"claude-opus-4-5"}',
          '{"messages":[]}',
          '{',
        ]
        for (const body of refused)
          expect([body, (await post('/v1/messages', body)).status]).toEqual([body, 403])
        expect(bodies).toEqual([])
        const twice = '{"model":"claude-opus-4-5","model":"claude-haiku-4-5"}'
        expect((await post('/v1/messages', twice)).status).toBe(200)
        expect(bodies).toEqual(['{"model":"claude-haiku-4-5"}'])
      },
    )
  })
})

describe('an answer', () => {
  it('passes as it comes, and is metered', async () => {
    let held: ServerResponse | undefined
    await withUpstream(
      (_, res) => {
        held = res.writeHead(200, stream)
        held.write(start + delta)
      },
      async ({ post, logged }) => {
        const answer = await post('/v1/messages')
        const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
        expect((await reader?.read())?.value).toBe(start + delta)
        held?.end(rest)
        expect((await reader?.read())?.value).toBe(rest)
        expect(await one(() => logged<EventData<'model.usage'>>('model.usage'))).toMatchObject({
          turn,
          model: 'claude-sonnet-4-5',
          inputTokens: 1000,
          outputTokens: 500,
          costUsd: 0.0105,
          partial: false,
        })
      },
    )
  })

  it.each([
    [400, { 'x-should-retry': 'false' }, 'invalid_request_error'],
    [401, {}, 'authentication_error'],
    [429, { 'retry-after': '17' }, 'rate_limit_error'],
    [529, { 'retry-after': '3' }, 'overloaded_error'],
  ])('with status %i passes as it is, and is told in the log', async (status, headers, type) => {
    const text = JSON.stringify({ type: 'error', error: { type, message: `why, with ${modelKey}` } })
    await withUpstream(
      (_, res) => res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text),
      async ({ post, logged, backend }) => {
        const answer = await post('/v1/messages')
        expect(answer.status).toBe(status)
        expect(await answer.text()).toBe(text)
        expect(Object.fromEntries(answer.headers)).toMatchObject(headers)
        const error = await one(() => logged<EventData<'model.error'>>('model.error'))
        const after = Number(new Headers(headers as Record<string, string>).get('retry-after') ?? Number.NaN)
        expect(error).toMatchObject({
          turn,
          status,
          type,
          message: 'why, with [key]',
          model: 'claude-sonnet-4-5',
        })
        expect(error.retryAfterSeconds).toBe(Number.isNaN(after) ? undefined : after)
        expect(await logged('model.usage')).toEqual([])
        expect(backend.log.join('\n')).not.toContain(modelKey)
      },
    )
  })

  it('that breaks in the middle breaks at the agent too, and what was used is kept', () =>
    withUpstream(
      (_, res) => {
        res.writeHead(200, stream)
        res.write(start + delta, () => res.destroy())
      },
      async ({ post, logged }) => {
        const answer = await post('/v1/messages')
        await expect(answer.text()).rejects.toThrow()
        expect(await one(() => logged('model.usage'))).toMatchObject({ inputTokens: 1000, partial: true })
      },
    ))

  it('that is an error inside a stream is told in the log', () =>
    withUpstream(
      (_, res) => {
        const error = { type: 'overloaded_error', message: 'Overloaded' }
        res.writeHead(200, stream).end(start + sse({ type: 'error', error }))
      },
      async ({ post, logged }) => {
        await (await post('/v1/messages')).text()
        expect(await one(() => logged('model.error'))).toMatchObject({
          status: 200,
          type: 'overloaded_error',
        })
        expect(await one(() => logged('model.usage'))).toMatchObject({ partial: true })
      },
    ))

  it('that never comes is a 502, and an event', () =>
    withUpstream(
      (req) => void req.socket.destroy(),
      async ({ post, logged }) => {
        const answer = await post('/v1/messages')
        expect(answer.status).toBe(502)
        expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } })
        expect(await one(() => logged('model.error'))).toMatchObject({ status: 0, type: 'unreachable' })
      },
    ))

  it('to count_tokens costs nothing', () =>
    withUpstream(
      (_, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"input_tokens":5}'),
      async ({ post, logged }) => {
        expect(await (await post('/v1/messages/count_tokens')).json()).toEqual({ input_tokens: 5 })
        expect(await logged('model.usage')).toEqual([])
      },
    ))
})

describe('an agent that goes', () => {
  it.each([
    ['before the answer', false],
    ['while it streams', true],
  ])('%s takes its request with it', async (_, answers) => {
    const cancelled = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    await withUpstream(
      (_request, res) => {
        res.on('close', () => cancelled.resolve())
        if (answers) res.writeHead(200, stream).write(start)
        arrived.resolve()
      },
      async ({ backend, spec }) => {
        const stop = new AbortController()
        const answer = fetch(`${backend.runnerUrl}/runner/model/v1/messages`, {
          method: 'POST',
          headers: { authorization: `Bearer ${spec.token}` },
          body: '{"model":"m"}',
          signal: stop.signal,
        })
        const gone = answer.then((response) => response.text()).catch(() => undefined)
        await arrived.promise
        if (answers) await answer
        stop.abort()
        await Promise.all([cancelled.promise, gone])
      },
    )
  })

  it('stops reading and goes: nothing hangs, and what was used is kept', async () => {
    const flood = delta.repeat(1000)
    await withUpstream(
      (_, res) => {
        res.writeHead(200, stream).write(start)
        const more = () => {
          while (!res.destroyed && res.write(flood));
        }
        res.on('drain', more)
        more()
      },
      async ({ backend, spec, logged }) => {
        const { port } = new URL(backend.runnerUrl)
        const sent = request({
          port,
          host: '127.0.0.1',
          path: '/runner/model/v1/messages',
          method: 'POST',
          headers: { authorization: `Bearer ${spec.token}`, 'content-type': 'application/json' },
        })
        sent.on('error', () => undefined)
        sent.end('{"model":"m"}')
        const response = await new Promise<IncomingMessage>((resolve) => sent.once('response', resolve))
        await new Promise((resolve) => response.once('readable', resolve))
        response.destroy()
        expect(await one(() => logged('model.usage'))).toMatchObject({ inputTokens: 1000, partial: true })
      },
    )
  })
})

it('a fault of the gateway is an answer, not a connection that hangs', () =>
  withBackend(
    async (backend) => {
      const { spec } = await backend.idleSession()
      const answer = await backend.callRunner(spec.token, '/runner/model/v1/messages', {
        body: { model: 'm' },
      })
      expect(answer).toMatchObject({ status: 500, body: { error: { type: 'api_error' } } })
      expect(JSON.stringify(answer.body)).not.toContain('broken')
    },
    {
      source: {
        kind: async () => 'scripted',
        upstream: async () => {
          throw new Error('broken')
        },
      },
    },
  ))
