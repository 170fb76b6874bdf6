import { afterEach, expect, test } from 'vitest'
import { type FakeServer, sendJson, startFakeServer } from '../fixtures/fake-server.ts'
import { kinds, pathOf } from './resources.ts'

let server: FakeServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const place = { kind: kinds.jobs, namespace: 'n', name: 'j' }

test.each([429, 500, 503, 504])(
  'status %d is tried again, and the answer that comes then counts',
  async (status) => {
    let left = 2
    server = await startFakeServer((_request, response) => {
      if (left-- > 0) sendJson(response, { message: 'later' }, status)
      else sendJson(response, { kind: 'Job' })
    })
    expect(await server.api.get(place)).toEqual({ kind: 'Job' })
    expect(server.requests).toHaveLength(3)
  },
)

test('a refusal is not tried again, and is told in the words of the server', async () => {
  server = await startFakeServer((_request, response) => {
    const details = { causes: [{ reason: 'NamespaceTerminating' }] }
    sendJson(response, { message: 'is forbidden', reason: 'Forbidden', details }, 403)
  })
  await expect(server.api.get(place)).rejects.toMatchObject({
    status: 403,
    reason: 'Forbidden',
    message: 'is forbidden',
    causes: ['NamespaceTerminating'],
  })
  expect(server.requests).toHaveLength(1)
})

test('of two kinds of conflict one is tried again', async () => {
  server = await startFakeServer((_request, response, { pathname }) => {
    sendJson(
      response,
      { message: 'm', reason: pathname.endsWith('/jobs') ? 'AlreadyExists' : 'Conflict' },
      409,
    )
  })
  await expect(server.api.create({ kind: kinds.jobs, namespace: 'n' }, {})).rejects.toMatchObject({
    status: 409,
  })
  expect(server.requests).toHaveLength(1)
  await expect(server.api.merge(place, {})).rejects.toMatchObject({ reason: 'Conflict' })
  expect(server.requests).toHaveLength(5)
})

test('a server that hangs up, says nothing or talks nonsense is tried again, and then told', async () => {
  server = await startFakeServer((request) => void request.socket.destroy(), { retries: 1 })
  await expect(server.api.get(place)).rejects.toMatchObject({
    status: 0,
    message: expect.stringMatching(/gave no answer/),
  })
  await server.close()
  server = await startFakeServer(() => undefined, { retries: 1, timeoutMs: 100 })
  await expect(server.api.get(place)).rejects.toMatchObject({ status: 0 })
  expect(server.requests).toHaveLength(2)
  await server.close()
  server = await startFakeServer((_request, response) => void response.end('<html>'), { retries: 0 })
  await expect(server.api.get(place)).rejects.toMatchObject({ status: 0 })
})

test('many requests share connections', async () => {
  server = await startFakeServer((_request, response) => sendJson(response, {}))
  const { api, connections } = server
  for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 20 }, () => api.get(place)))
  expect(connections()).toBeLessThan(50)
})

test('a connection that has gone silent is left: the next request takes another', async () => {
  let silent: unknown
  server = await startFakeServer(
    (request, response) => {
      silent ??= request.socket
      if (request.socket !== silent) sendJson(response, { kind: 'Job' })
    },
    { timeoutMs: 150, retries: 1 },
  )
  expect(await server.api.get(place)).toEqual({ kind: 'Job' })
})

test('a list is read page by page', async () => {
  server = await startFakeServer((_request, response, { searchParams }) => {
    const page = Number(searchParams.get('continue') ?? 0)
    const metadata = { resourceVersion: '7', continue: page < 2 ? String(page + 1) : '' }
    sendJson(response, { metadata, items: [page] })
  })
  expect(await server.api.list({ kind: kinds.jobs }, 'a=b', { read: (item) => item })).toMatchObject({
    items: [0, 1, 2],
  })
  expect(server.requests[0]).toContain('/apis/batch/v1/jobs?labelSelector=a%3Db&limit=100')
})

test('what is gone is deleted', async () => {
  server = await startFakeServer((_request, response) => sendJson(response, { message: 'not found' }, 404))
  await server.api.delete(place)
})

test('no name leads to another path', () => {
  expect(pathOf({ kind: kinds.secrets, namespace: '../x', name: 'a/b?c' })).toBe(
    '/api/v1/namespaces/..%2Fx/secrets/a%2Fb%3Fc',
  )
  expect(pathOf({ kind: kinds.namespaces, name: 'n' })).toBe('/api/v1/namespaces/n')
})
