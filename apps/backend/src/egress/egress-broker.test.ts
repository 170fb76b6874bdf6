import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { type AnyEvent, type EgressRequestHead, type EgressRule, limits } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { createOutbound } from '../outbound/outbound.ts'
import { SessionService } from '../session/service.ts'
import { type TestBackend, withBackend, withServer } from '../test-backend.ts'
import { EgressBroker, type EgressBrokerOptions } from './egress-broker.ts'

const value = 'the-secret-value'

interface Rig {
  backend: TestBackend
  session: string
  /** Asks the server of the test. */
  ask(
    target: string,
    more?: Partial<EgressRequestHead> & { body?: string },
  ): Promise<{ status: number; headers: string[][]; text: string }>
  events(): Promise<AnyEvent[]>
  allow(...rules: Partial<EgressRule>[]): Promise<void>
}

/** A session, a broker and a server that answers as the test says. */
const withRig = async (
  listener: RequestListener,
  test: (rig: Rig) => Promise<void>,
  options: Partial<EgressBrokerOptions> & { privateHosts?: string[]; open?: boolean } = {},
): Promise<void> =>
  withServer(listener, (url) =>
    withBackend(async (backend) => {
      const { hostname, port, host } = new URL(url)
      const { store, blobs } = backend.parts
      const random = (bytes: number) => new Uint8Array(bytes)
      const service = new SessionService({ store, blobs, now: Date.now, random, wake: () => undefined })
      const outbound = createOutbound({ privateHosts: options.privateHosts ?? ['*'] })
      const { secrets } = backend
      const broker = new EgressBroker({ service, store, outbound, secrets, now: Date.now, ...options })
      const { id: session } = await backend.session()
      const runner = { session, project: 'default', generation: 1, current: true, secrets: 0 }
      const gone = new AbortController()
      try {
        await test({
          backend,
          session,
          async ask(target, { body = '', ...more } = {}) {
            const base = {
              scheme: 'http',
              authority: host,
              method: 'GET',
              target,
              headers: [] as [string, string][],
              length: body.length,
            } as const
            const head: EgressRequestHead = { ...base, ...more }
            const answer = await broker.answer({
              runner,
              head,
              body: Readable.from([Buffer.from(body)]),
              gone: gone.signal,
            })
            return { ...answer.head, text: await text(answer.body) }
          },
          async events() {
            const { body } = await backend.call<{ items: AnyEvent[] }>(
              `/api/projects/default/sessions/${session}/events?limit=500`,
            )
            return body.items.filter(({ type }) => type === 'egress.refused')
          },
          async allow(...rules) {
            const egress = rules.map((rule) => ({
              host: hostname,
              port: Number(port),
              scheme: 'http',
              ...rule,
            }))
            const { body } = await backend.call<{ version: number }>('/api/projects/default/settings')
            const changed = await backend.call('/api/projects/default/settings', {
              method: 'PATCH',
              body: { egress },
              headers: { 'if-match': String(body.version) },
            })
            expect(changed.status, JSON.stringify(changed.body)).toBe(200)
          },
        })
      } finally {
        gone.abort()
        await outbound.close()
      }
    }),
  )

const token = { Authorization: 'Bearer ' + '$' + '{secret:token}' }

describe('the way to other hosts', () => {
  it('[P188][S13] is closed until a rule opens it, from the next request on', () =>
    withRig(
      (_request, response) => response.end('reached'),
      async ({ ask, allow }) => {
        await expect(ask('/')).rejects.toMatchObject({ code: 'egress_refused' })
        await allow({})
        expect(await ask('/')).toMatchObject({ status: 200, text: 'reached' })
        await expect(ask('/', { method: 'POST' })).rejects.toMatchObject({ why: 'method' })
        await allow({ methods: ['POST'], paths: ['/in/'] })
        await expect(ask('/in/../out', { method: 'POST' })).rejects.toMatchObject({ why: 'path' })
        expect((await ask('/in/x', { method: 'POST', body: 'b' })).status).toBe(200)
        await allow()
        await expect(ask('/')).rejects.toMatchObject({ why: 'host' })
      },
    ))

  it('[P189][S9][S10] adds the project’s headers in the place of the agent’s, and shows them to nobody', () =>
    withRig(
      ({ headers, url }, response) => {
        const said = JSON.stringify({ got: headers.authorization, range: headers.range })
        if (url === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(said))
        else if (url === '/odd') response.writeHead(200, { 'content-encoding': 'zstd' }).end('x')
        else if (url === '/moved')
          response.writeHead(302, { location: `/x?t=${headers.authorization?.slice(7)}` }).end()
        else response.writeHead(200, { 'set-cookie': 'login=1' }).end(said)
      },
      async ({ backend, session, ask, allow }) => {
        const secret = { kind: 'http-header', value }
        await backend.call('/api/projects/default/secrets/token', { method: 'PUT', body: secret })
        await allow({ headers: token })
        const mine: [string, string][] = [
          ['AUTHORIZATION', 'Bearer mine'],
          ['Range', 'bytes=0-5'],
        ]
        const told = await ask('/', { headers: mine })
        expect(JSON.parse(told.text)).toEqual({ got: '[hidden]' })
        expect(told.headers.map(([name]) => name)).not.toContain('set-cookie')
        expect((await ask('/packed')).text).toBe('{"got":"[hidden]"}')
        await expect(ask('/odd')).rejects.toMatchObject({ code: 'egress_failed' })
        const moved = await ask('/moved')
        expect(moved).toMatchObject({ status: 302 })
        expect(moved.headers).toContainEqual(['location', '/x?t=[hidden]'])
        const { token: runner } = await backend.spec(session)
        const hello = await backend.callRunner(runner, '/runner/settings')
        expect(JSON.stringify(hello.body)).toContain('"Authorization":"***"')
      },
    ))

  it('[P191][S17] refuses private addresses that the operator has not opened, and follows nobody', () =>
    withRig(
      (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end(),
      async ({ ask, allow, events }) => {
        await allow({}, { host: '169.254.169.254', port: 80 })
        await expect(ask('/')).rejects.toMatchObject({
          why: 'address',
          message: expect.stringContaining('BERTH_PRIVATE_HOSTS'),
        })
        await expect(ask('/latest/', { authority: '169.254.169.254' })).rejects.toMatchObject({
          why: 'address',
        })
        expect((await events()).map(({ data }) => (data as { why: string }).why)).toEqual([
          'address',
          'address',
        ])
      },
      { privateHosts: [] },
    ).then(() =>
      withRig(
        (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/' }).end(),
        async ({ ask, allow }) => {
          await allow({})
          expect(await ask('/')).toMatchObject({ status: 302, text: '' })
          await expect(ask('/latest/', { authority: '169.254.169.254' })).rejects.toMatchObject({
            why: 'host',
          })
        },
      ),
    ))

  it('[P190] makes requests anew: nothing of a smuggled length or form arrives', () => {
    const seen: unknown[] = []
    return withRig(
      (request, response) => {
        void text(request).then((body) => {
          const { host, 'content-length': length, 'transfer-encoding': coding, connection } = request.headers
          seen.push({ url: request.url, method: request.method, host, length, coding, connection, body })
          response.end('ok')
        })
      },
      async ({ ask, allow }) => {
        await allow({ methods: ['GET', 'POST'] })
        const headers: [string, string][] = [
          ['Host', 'evil.example'],
          ['Content-Length', '0'],
          ['Transfer-Encoding', 'chunked'],
          ['X-Forwarded-For', '10.1.1.1'],
        ]
        await ask('/a', { method: 'POST', headers, body: 'GET /b HTTP/1.1\r\n\r\n' })
        expect(seen).toMatchObject([{ url: '/a', length: '19', body: 'GET /b HTTP/1.1\r\n\r\n' }])
        expect(seen[0]).not.toMatchObject({ host: 'evil.example' })
        for (const target of ['/a HTTP/1.1\r\nX: y', '/a\r\n\r\nGET /b', 'http://b.example/', '*', ''])
          await expect(ask(target)).rejects.toMatchObject({ why: 'form' })
        await expect(ask('/', { headers: [['X', 'a\r\nY: b']] })).rejects.toMatchObject({ why: 'form' })
        await expect(ask('/', { method: 'GET / HTTP/1.1\r\nX' })).rejects.toMatchObject({ why: 'method' })
        await expect(ask('/', { method: 'POST', body: 'abc', length: 2 })).rejects.toMatchObject({
          code: 'egress_failed',
        })
        expect(seen).toHaveLength(1)
      },
    )
  })

  it('[P192] tells each kind of refusal once, in the session and in the audit, also to an agent that loops', () =>
    withRig(
      (_request, response) => response.end(),
      async ({ backend, ask, events }) => {
        for (let round = 0; round < 2; round++)
          for (let i = 0; i < limits.egressRefusals + 5; i++)
            await expect(ask('/x?secret=1', { authority: `h${i}.example:81` })).rejects.toThrow(
              'berth egress allow',
            )
        const told = await events()
        expect(told).toHaveLength(limits.egressRefusals)
        expect(told[0]?.data).toMatchObject({
          host: 'h0.example',
          port: 81,
          method: 'GET',
          path: '/x',
          why: 'host',
        })
        expect(told.at(-1)?.data).toMatchObject({ last: true })
        const db = new DatabaseSync(join(backend.directory, 'berth.db'), { readOnly: true })
        const entries = db
          .prepare("SELECT result, object_id FROM audit WHERE action = 'egress.refused'")
          .all()
        db.close()
        expect(entries).toHaveLength(limits.egressRefusals)
        expect(entries[0]).toMatchObject({ result: 'refused', object_id: 'h0.example:81' })
      },
    ))

  it('bounds what goes through: bytes, time and number', () => {
    let hold = true
    return withRig(
      (_request, response) => {
        if (!hold) return response.end('x'.repeat(5000))
        response.write('x')
      },
      async ({ ask, allow }) => {
        await allow({})
        const open = ask('/')
        await expect.poll(() => ask('/').catch(({ code }) => code)).toBe('egress_busy')
        await expect(open).rejects.toThrow('Nothing came')
        hold = false
        await expect(ask('/')).rejects.toThrow('larger than')
      },
      { limits: { atOnce: 1, answerBytes: 1000, idleMs: 2000 } },
    )
  })
})
