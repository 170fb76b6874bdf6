import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { limits } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { BlobStore } from '../blobs/port.ts'
import { type CallOptions, ready, someId, type TestBackend, withBackend } from '../test-backend.ts'

const sha = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const status = (text: string) => ({ type: 'agent.status' as const, data: { status: text } })

const put = (
  { callRunner }: TestBackend,
  token: string,
  { bytes, name = sha(bytes) }: { bytes: string; name?: string },
) =>
  callRunner(token, `/runner/blobs/${name}`, {
    method: 'PUT',
    body: bytes,
    headers: { 'content-type': 'application/octet-stream' },
  })

const eventsOf = async ({ call }: TestBackend, session: string) =>
  (
    await call<{ items: { type: string; data: object }[] }>(
      `/api/projects/default/sessions/${session}/events`,
    )
  ).body.items

describe('hello', () => {
  it('tells a runner all that it needs', () =>
    withBackend(async (backend) => {
      const repositories = [{ url: 'https://git.example.com/team/app.git', branch: 'main' }]
      const settings = { model: 'claude-haiku-4-5', deny: ['WebFetch'] }
      const { id } = await backend.session({ repositories, settings })
      const spec = await backend.spec(id)
      const { body } = await backend.callRunner(spec.token, '/runner/hello', { method: 'POST' })
      expect(body).toMatchObject({
        session: id,
        project: 'default',
        generation: 1,
        n: 0,
        cursor: 2,
        owner: { kind: 'user', id: 'owner', name: 'Test' },
        repositories,
        settings: { ...settings, otherwise: 'allow', memoryMiB: 4096 },
        resumed: false,
      })
      expect(spec).toMatchObject({ backendUrl: backend.runnerUrl, limits: { processes: 1024 } })
      expect(body).not.toHaveProperty('leaving')
    }))

  it('tells one whose session was told to end before it came that it is not wanted', () =>
    withBackend(async (backend) => {
      for (const [path, method, reason] of [
        ['/stop', 'POST', 'user'],
        ['', 'DELETE', 'deleted'],
      ] as const) {
        const { session, spec } = await backend.idleSession()
        await backend.call(`/api/projects/default/sessions/${session}${path}`, { method })
        const { body } = await backend.callRunner(spec.token, '/runner/hello', { method: 'POST' })
        expect(body).toMatchObject({ leaving: reason })
      }
    }))
})

describe('facts', () => {
  it('are stored once and in order', () =>
    withBackend(async (backend) => {
      const { id } = await backend.session()
      const spec = await backend.spec(id)
      expect((await backend.facts(spec, 1, ...ready)).body).toEqual({ n: 2 })
      expect((await backend.facts(spec, 1, ...ready, status('a'))).body).toEqual({ n: 3 })
      expect((await backend.facts(spec, 2, ...ready.slice(1))).body).toEqual({ n: 3 })
      const gap = await backend.facts(spec, 5, status('b'))
      expect(gap).toMatchObject({ status: 409, body: { code: 'fact_gap' } })
      const types = (await eventsOf(backend, id)).map(({ type }) => type)
      expect(types).toEqual([
        'session.created',
        'generation.started',
        'runner.started',
        'agent.ready',
        'agent.status',
      ])
    }))

  it('of several at once are each stored once', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const batch = Array.from({ length: 20 }, (_, i) => status(String(i)))
      await Promise.all(Array.from({ length: 8 }, () => backend.facts(spec, 3, ...batch)))
      const seen = (await eventsOf(backend, session)).filter(({ type }) => type === 'agent.status')
      expect(seen.map(({ data }) => data)).toEqual(batch.map(({ data }) => data))
    }))

  it.each([
    [
      'a person’s decision',
      'permission.decided',
      { request: someId('request'), decision: { behavior: 'allow' } },
    ],
    ['what only the backend sees', 'model.usage', {}],
    ['a kind that does not exist', 'agent.hacked', {}],
    ['what every object inherits', 'constructor', {}],
    ['data of another shape', 'agent.status', { status: 1 }],
    ['nesting without end', 'agent.raw', { kind: 'x', message: 'DEEP' }],
  ])('can’t be %s', async (_, type, data) =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const facts = [{ n: 3, at: new Date().toISOString(), type, data }]
      const deep = '['.repeat(5000) + ']'.repeat(5000)
      const body = JSON.stringify({ generation: 1, facts }).replace('"DEEP"', deep)
      const answer = await backend.callRunner(spec.token, '/runner/facts', { body })
      expect(answer.status).toBe(400)
      expect((await eventsOf(backend, session)).length).toBe(4)
    }),
  )

  it('hold only what their schema knows', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const data = { repositories: [], junk: 'x'.repeat(100_000) }
      await backend.facts(spec, 3, { type: 'workspace.ready', data })
      expect((await eventsOf(backend, session)).at(-1)?.data).toEqual({ repositories: [] })
    }))

  it('of a generation that is over are fenced out, and so is everything else of it', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      backend.runtime.end(session, 'crashed', { exitCode: 1 })
      const next = await backend.spec(session, 2)
      const calls: [string, CallOptions][] = [
        [
          '/runner/facts',
          { body: { generation: 1, facts: [{ n: 3, at: new Date().toISOString(), ...status('late') }] } },
        ],
        ['/runner/hello', { method: 'POST' }],
        ['/runner/heartbeat', { body: {} }],
        ['/runner/events', {}],
        [`/runner/blobs/${sha('x')}`, {}],
        ['/runner/model/v1/messages', { body: { model: 'm' } }],
      ]
      for (const [path, options] of calls)
        expect([path, await backend.callRunner(spec.token, path, options)]).toMatchObject([
          path,
          { status: 409, body: { code: 'fenced' } },
        ])
      const hello = await backend.callRunner(next.token, '/runner/hello', { method: 'POST' })
      expect(hello.body).toMatchObject({ generation: 2, previous: { generation: 1, n: 2 }, resumed: true })
      const rest = {
        generation: 1,
        facts: [{ n: 3, at: new Date().toISOString(), ...status('handed over') }],
      }
      expect((await backend.callRunner(next.token, '/runner/facts', { body: rest })).body).toEqual({ n: 3 })
    }))
})

describe('blobs', () => {
  it('come back as they were put, to the session and nobody else', () =>
    withBackend(async (backend) => {
      const [mine, other] = [await backend.idleSession(), await backend.idleSession()]
      const bytes = 'some bytes \u0000 é'
      for (let i = 0; i < 2; i++) expect((await put(backend, mine.spec.token, { bytes })).status).toBe(204)
      expect((await put(backend, mine.spec.token, { bytes: '' })).status).toBe(204)
      const path = `/runner/blobs/${sha(bytes)}`
      expect((await backend.callRunner(mine.spec.token, path)).body).toBe(bytes)
      expect((await backend.callRunner(other.spec.token, path)).body).toMatchObject({
        code: 'blob_not_found',
      })
      const publicly = (session: string) => `/api/projects/default/sessions/${session}/blobs/${sha(bytes)}`
      const answer = await backend.call<unknown>(publicly(mine.session))
      expect(answer.body).toBe(bytes)
      expect(answer.headers.get('content-disposition')).toBe('attachment')
      expect((await backend.call(publicly(other.session))).status).toBe(404)
    }))

  it('are refused when they are not what they say, or JSON of no use', () =>
    withBackend(async (backend) => {
      const { spec } = await backend.idleSession()
      const wrong = await put(backend, spec.token, { bytes: 'x', name: sha('y') })
      expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_input' } })
      expect((await backend.callRunner(spec.token, `/runner/blobs/${sha('y')}`)).status).toBe(404)
      const headers = { 'content-type': 'application/json' }
      const json = await backend.callRunner(spec.token, `/runner/blobs/${sha('{}')}`, {
        method: 'PUT',
        body: '{}',
        headers,
      })
      expect(json.status).toBe(204)
    }))

  it('that are too large get an answer, not a cut', () =>
    withBackend(async (backend) => {
      const { spec } = await backend.idleSession()
      const { port } = new URL(backend.runnerUrl)
      const send = (length: number | undefined) =>
        new Promise<number | undefined>((resolve, reject) => {
          const headers = {
            authorization: `Bearer ${spec.token}`,
            'content-type': 'application/octet-stream',
            ...(length === undefined ? {} : { 'content-length': length }),
          }
          const options = {
            port,
            host: '127.0.0.1',
            method: 'PUT',
            path: `/runner/blobs/${'a'.repeat(64)}`,
            headers,
          }
          const sent = request(options, (response) => {
            resolve(response.resume().statusCode)
            sent.destroy()
          })
          sent.on('error', reject)
          const chunk = Buffer.alloc(1024 * 1024)
          let left = limits.blob + 2 * chunk.length
          const more = () => {
            while (left > 0 && !sent.destroyed) {
              left -= chunk.length
              if (!sent.write(chunk)) return void sent.once('drain', more)
            }
            if (!sent.destroyed) sent.end()
          }
          more()
        })
      expect(await send(limits.blob + 2 * 1024 * 1024)).toBe(413)
      expect(await send(undefined)).toBe(413)
    }))

  it('that break off are an error at the store, and break nothing', async () => {
    const begun = Promise.withResolvers<void>()
    const failed = Promise.withResolvers<unknown>()
    const blobs: BlobStore = {
      put: async (_, { content }) => {
        begun.resolve()
        for await (const _chunk of content);
        return { size: 0 }
      },
      get: async () => undefined,
      remove: async () => undefined,
      removeAll: async () => undefined,
      copy: async () => false,
      scopes: async function* () {},
    }
    const { put } = blobs
    blobs.put = (session, upload) =>
      put(session, upload).catch((error) => {
        failed.resolve(error)
        throw error
      })
    await withBackend(
      async (backend) => {
        const { spec, session } = await backend.idleSession()
        const { port } = new URL(backend.runnerUrl)
        const headers = {
          authorization: `Bearer ${spec.token}`,
          'content-length': 1000,
          'content-type': 'application/octet-stream',
        }
        const path = `/runner/blobs/${sha('x')}`
        const sent = request({ port, host: '127.0.0.1', method: 'PUT', path, headers })
        sent.on('error', () => undefined)
        sent.write('x')
        await begun.promise
        sent.destroy()
        expect(await failed.promise).toMatchObject({ code: 'invalid_input' })
        expect(await backend.summary(session)).toMatchObject({ status: { phase: 'idle' } })
      },
      { blobs },
    )
  })
})
