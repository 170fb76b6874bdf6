import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startBackend } from './backend.ts'
import { createSqliteStore } from './store/sqlite/sqlite-store.ts'
import { eventually, modelKey, ownerToken, ready, someId, withBackend, withServer } from './test-backend.ts'

const sessions = '/api/projects/default/sessions'

describe('close', () => {
  it('finishes what is under way, refuses what comes, and ends in time though a request hangs', () =>
    withBackend(
      async (backend) => {
        const { port } = new URL(backend.url)
        const headers = { authorization: `Bearer ${ownerToken}`, 'content-type': 'application/json' }
        const slow = request({ port, host: '127.0.0.1', path: sessions, method: 'POST', headers })
        const hanging = request({ port, host: '127.0.0.1', path: sessions, method: 'POST', headers })
        const answer = new Promise<number | undefined>((resolve) =>
          slow.once('response', (response) => resolve(response.resume().statusCode)),
        )
        const cut = new Promise((resolve) => hanging.once('error', resolve))
        slow.write('{')
        hanging.write('{')
        const silent = connect(Number(port), '127.0.0.1')
        const silentClosed = new Promise((resolve) => silent.once('close', resolve))
        await eventually(
          'both requests',
          async () =>
            new Promise<boolean>((resolve) =>
              process.nextTick(() => resolve(slow.socket?.connecting === false && !silent.connecting)),
            ),
        )
        await backend.call('/livez')
        const closed = backend.close()
        slow.end('}')
        expect(await answer).toBe(201)
        await Promise.all([closed, cut, silentClosed])
        await expect(backend.call('/livez')).rejects.toThrow()
        await backend.close()
      },
      { drainMs: 300 },
    ))

  it('[P99] says so, sends readers on, finishes requests, and gives its leases back, in this order', () =>
    withBackend(async (backend) => {
      const order: string[] = []
      const { store } = backend.parts
      const { port } = new URL(backend.url)
      const headers = { authorization: `Bearer ${ownerToken}`, 'content-type': 'application/json' }
      const release = store.release.bind(store)
      store.release = async (name, holder) => {
        if (name === 'housekeeping') order.push('lease')
        await release(name, holder)
      }
      const { id } = await backend.session()
      const stream = await fetch(`${backend.url}${sessions}/${id}/events`, {
        headers: { ...headers, accept: 'text/event-stream' },
      })
      const read = (async () => {
        for await (const chunk of stream.body ?? [])
          if (Buffer.from(chunk).toString().includes('event: reconnect')) order.push('reader')
      })()
      const slow = request({ port, host: '127.0.0.1', path: sessions, method: 'POST', headers })
      const answer = new Promise<number | undefined>((resolve) =>
        slow.once('response', (response) => {
          order.push('request')
          resolve(response.resume().statusCode)
        }),
      )
      slow.on('error', () => order.push('cut'))
      slow.write('{')
      await eventually('the connection', () => slow.socket?.connecting === false)
      await backend.call('/livez')
      const closed = backend.close()
      await read
      await eventually('nobody to be let in', () =>
        fetch(`${backend.url}/readyz`).then(
          ({ ok }) => !ok,
          () => true,
        ),
      )
      slow.end('}')
      expect(await answer).toBe(201)
      await closed
      expect(order).toEqual(['reader', 'request', 'lease'])
    }))

  it('lets a request to the model finish', async () => {
    let finish: (() => void) | undefined
    await withServer(
      (_, res) => {
        finish = () => res.end('{"usage":{"input_tokens":1,"output_tokens":1}}')
      },
      (upstream) =>
        withBackend(
          async (backend) => {
            const { spec } = await backend.idleSession()
            const answer = backend.callRunner(spec.token, '/runner/model/v1/messages', {
              body: { model: 'm' },
            })
            await eventually('the request', () => finish)
            const closed = backend.close()
            finish?.()
            expect((await answer).status).toBe(200)
            await closed
          },
          {
            source: { kind: async () => 'live', upstream: async () => ({ baseUrl: upstream, apiKey: 'k' }) },
          },
        ),
    )
  })
})

describe('a second backend', () => {
  it('is refused on the same data', () =>
    withBackend(async ({ directory }) => {
      await expect(createSqliteStore({ file: join(directory, 'berth.db') })).rejects.toThrow(/BERTH_DATA_DIR/)
    }))

  it('is refused on the same address, and leaves nothing behind', () =>
    withBackend(async (first) => {
      await withBackend(async (second) => {
        const { parts } = second
        const port = Number(new URL(first.url).port)
        const servers = () =>
          process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length
        const before = servers()
        await expect(startBackend({ ...parts, listen: { ...parts.listen, port } })).rejects.toThrow(
          /EADDRINUSE/,
        )
        await eventually('no server more than before', () => servers() <= before)
        expect((await second.call('/readyz')).status).toBe(200)
      })
    }))
})

describe('a restart', () => {
  it('adopts the runners, and keeps prompts, sign-in and streams', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      await backend.restart()
      await backend.call(`${sessions}/${session}/prompts`, { body: { content: 'Hello' } })
      expect(await backend.summary(session)).toMatchObject({ generation: 1, status: { phase: 'working' } })
      expect((await backend.callRunner(spec.token, '/runner/heartbeat', { body: {} })).status).toBe(204)
      expect(backend.runtime.starts.length).toBe(1)
    }))
})

it('keeps secrets and prompts out of its log', () =>
  withBackend(
    async (backend) => {
      const { call, callRunner } = backend
      const text = 'PROMPT-CANARY please'
      const { session, spec } = await backend.idleSession({ prompt: text })
      await call(`${sessions}/${session}/prompts`, { body: { content: text } })
      await call(`${sessions}/${session}/prompts`, { body: `{"content": "${text}` })
      await call(`${sessions}/${session}/prompts`, { body: { content: text, 'PROMPT-CANARY': text } })
      await call(sessions, { token: 'wrong-TOKEN-CANARY', body: {} })
      const link = await call<{ path: string }>('/api/login-links', { method: 'POST' })
      const signedIn = await call(link.body.path, { token: null })
      await call(link.body.path, { token: null })
      await callRunner(spec.token, '/runner/hello', { method: 'POST' })
      await callRunner(spec.token, '/runner/model/v1/messages', { body: { model: text } })
      await callRunner(spec.token, '/runner/facts', { body: { generation: 1, facts: [{ type: text }] } })
      await backend.facts(spec, 99, ...ready)
      await call(`${sessions}/${someId('session')}/blobs/${'a'.repeat(64)}`)
      backend.runtime.end(session, 'crashed', { exitCode: 1 })
      const again = await backend.spec(session, 2)
      const log = backend.log.join('\n')
      const cookie = /berth_session=([^;]+)/.exec(signedIn.headers.get('set-cookie') ?? '')?.[1] ?? 'missing'
      const ticket = link.body.path.split('=')[1] ?? 'missing'
      const secrets = [
        ownerToken,
        spec.token,
        again.token,
        modelKey,
        cookie,
        ticket,
        'TOKEN-CANARY',
        'PROMPT-CANARY',
      ]
      for (const secret of secrets) expect([secret, log.includes(secret)]).toEqual([secret, false])
      expect(log).toContain('"route":"/api/projects/:project/sessions/:session/prompts"')
      expect(log).toContain(session)
    },
    {
      source: {
        kind: async () => 'live',
        upstream: async () => ({ baseUrl: 'http://127.0.0.1:9', apiKey: modelKey }),
      },
    },
  ))
