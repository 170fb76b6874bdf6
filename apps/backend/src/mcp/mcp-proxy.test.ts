import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Settings } from '@berth/contract'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createOutbound } from '../outbound/outbound.ts'
import { SessionService } from '../session/service.ts'
import { type TestBackend, withBackend } from '../test-backend.ts'
import { type McpCall, McpProxy, type McpProxyLimits } from './mcp-proxy.ts'

let answer: (response: ServerResponse) => void
let url = ''
const server = createServer((request, response) => {
  request.resume()
  answer(response)
})

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
})

beforeEach(() => {
  answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const set = async ({ call }: TestBackend, body: Settings) => {
  const path = '/api/projects/default/settings'
  const { version } = (await call<{ version: number }>(path)).body
  return call(path, { method: 'PATCH', body, headers: { 'if-match': `"${version}"` } })
}

const servers = (headers: Record<string, string> = {}): Settings => ({
  mcpServers: {
    far: { type: 'http', url, headers },
    near: { type: 'stdio', command: 'x', args: [], env: {} },
  },
})

/** A proxy with limits of its own, and a call of a session. */
const proxyOf = async (backend: TestBackend, limits: Partial<McpProxyLimits>) => {
  const { store, blobs } = backend.parts
  const service = new SessionService({
    store,
    blobs,
    now: () => Date.now(),
    random: (bytes) => new Uint8Array(bytes),
    wake: () => undefined,
  })
  const { id } = await backend.session()
  const runner = { session: id, project: 'default', generation: 1, current: true, secrets: 0 }
  const call: McpCall = { runner, name: 'far', method: 'POST', headers: {}, body: Buffer.from('{}') }
  const outbound = createOutbound({ privateHosts: ['127.0.0.1'] })
  return { proxy: new McpProxy({ service, store, outbound, limits }), call, outbound }
}

describe('the way to MCP servers', () => {
  it('[P65] leads only to servers on the network that the settings name now', () =>
    withBackend(async (backend) => {
      await set(backend, servers())
      const { id } = await backend.session()
      const { token } = await backend.spec(id)
      const post = (name: string) =>
        backend.callRunner(token, `/runner/mcp/${name}`, { method: 'POST', body: {} })
      expect(await post('far')).toMatchObject({ status: 200, body: { ok: true } })
      for (const name of ['near', 'other', 'constructor', '__proto__', '..%2Fhello'])
        expect(await post(name)).toMatchObject({ status: 404, body: { code: 'mcp_server_not_found' } })
      await set(backend, { disabledMcpServers: ['far'] })
      expect(await post('far')).toMatchObject({ status: 404 })
      expect(
        await backend.callRunner('nobody', '/runner/mcp/far', { method: 'POST', body: {} }),
      ).toMatchObject({
        status: 401,
      })
      expect(await backend.callRunner(token, '/runner/mcp/far')).toMatchObject({ status: 405 })
    }))

  it('[P65] shows headers to nobody but admins of the project', () =>
    withBackend(async (backend) => {
      await set(backend, servers({ 'X-Key': 'a-long-secret' }))
      const { id } = await backend.session()
      const { token } = await backend.spec(id)
      const masked = { far: { headers: { 'X-Key': '***' } } }
      const hello = await backend.callRunner(token, '/runner/hello', { method: 'POST' })
      expect(hello.body).toMatchObject({ settings: { mcpServers: masked } })
      const settings = await backend.callRunner(token, '/runner/settings')
      expect(settings.body).toMatchObject({ settings: { mcpServers: masked } })
      const view = await backend.call(`/api/projects/default/sessions/${id}/settings`)
      expect(view.body).toMatchObject({ effective: { mcpServers: masked } })
      const own = await backend.call('/api/projects/default/settings')
      expect(own.body).toMatchObject({
        own: { mcpServers: { far: { headers: { 'X-Key': 'a-long-secret' } } } },
      })
    }))

  it('[P174] carries the values of secrets that headers refer to, and only there', () =>
    withBackend(async (backend) => {
      const referring = servers({ 'X-Key': `Bearer \${secret:token}` })
      const refused = await set(backend, referring)
      expect(refused).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'body.mcpServers.far.headers.X-Key' }] },
      })
      const value = 'CANARY-value-of-a-header'
      const body = { kind: 'http-header', value }
      await backend.call('/api/projects/default/secrets/token', { method: 'PUT', body })
      expect((await set(backend, referring)).status).toBe(200)
      const { id } = await backend.session()
      const { token } = await backend.spec(id)
      let seen: unknown
      server.once('request', ({ headers }) => {
        seen = headers['x-key']
      })
      answer = (response) => response.end(`you sent Bearer ${value}`)
      const said = await backend.callRunner(token, '/runner/mcp/far', { method: 'POST', body: {} })
      expect(seen).toBe(`Bearer ${value}`)
      expect(said.body).toBe('you sent [hidden]')
      const own = await backend.call('/api/projects/default/settings')
      expect(JSON.stringify(own.body)).not.toContain('CANARY')
    }))

  it('[P66] bounds answers in size and time, and how many are under way', () =>
    withBackend(async (backend) => {
      await set(backend, servers())
      const { proxy, call, outbound } = await proxyOf(backend, {
        answerBytes: 1000,
        atOnce: 1,
        headersMs: 1000,
      })
      answer = (response) => response.end('x'.repeat(5000))
      await expect(text((await proxy.call(call)).body)).rejects.toThrow()
      answer = (response) => void response.writeHead(200).write('x')
      const open = await proxy.call(call)
      await expect(proxy.call(call)).rejects.toMatchObject({ code: 'mcp_busy' })
      open.body.destroy()
      answer = () => undefined
      await expect
        .poll(() => proxy.call(call).catch(({ code, message }) => `${code} ${message}`), { timeout: 10_000 })
        .toContain('mcp_server_failed')
      answer = (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
      await expect(proxy.call(call)).rejects.toMatchObject({ code: 'mcp_server_failed' })
      answer = (response) => response.end('fine')
      expect(await text((await proxy.call(call)).body)).toBe('fine')
      await outbound.close()
    }))

  it('[P195][S17] asks no server at an address that the operator has not opened', () =>
    withBackend(
      async (backend) => {
        await set(backend, servers())
        const { id } = await backend.session()
        const { token } = await backend.spec(id)
        const post = () => backend.callRunner(token, '/runner/mcp/far', { method: 'POST', body: {} })
        let asked = 0
        answer = (response) => {
          asked++
          response.end()
        }
        expect(await post()).toMatchObject({ body: { code: 'mcp_server_failed' } })
        expect(String((await post()).body.detail)).toContain(
          `the operator adds ${new URL(url).host} to BERTH_PRIVATE_HOSTS`,
        )
        expect(asked).toBe(0)
      },
      { privateHosts: [] },
    ))
})
