import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { sendJson } from './fixtures/fake-server.ts'
import { until } from './fixtures/specs.ts'
import { testCertificate } from './fixtures/test-certificate.ts'
import { createTokenReviewer } from './token-reviewer.ts'

/** What the API server says to each request: an object, another text, or a status without a body. */
let answer: object | string | number
let asked: { path: string; authorization?: string; body: unknown }[] = []
const server = createServer(testCertificate, async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { url: path = '', headers } = request
  asked.push({
    path,
    authorization: headers.authorization,
    body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
  })
  if (typeof answer === 'object') sendJson(response, answer, 201)
  else if (typeof answer === 'number') sendJson(response, { message: 'forbidden to it' }, answer)
  else response.end(answer)
})
let connections = 0
server.on('connection', (socket) => {
  connections++
  socket.on('close', () => connections--)
})

const kubeconfig = (authority?: string): string => {
  const { port } = server.address() as AddressInfo
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    ...(authority && { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
  }
  return stringify({
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: 'the-token-of-the-backend' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
}

let reviewer: ReturnType<typeof createTokenReviewer>
beforeEach(async () => {
  asked = []
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  reviewer = createTokenReviewer({ kubeconfig: kubeconfig(testCertificate.cert), timeoutMs: 2000 })
})
afterEach(async () => {
  await reviewer.close()
  server.closeAllConnections()
  if (server.listening) await new Promise((resolve) => server.close(resolve))
})

const user = { username: 'system:serviceaccount:team:bot', groups: ['system:serviceaccounts'] }

describe('[P147] a cluster that is asked about a token', () => {
  it('is told the token and its audience, over TLS, by the backend’s own account', async () => {
    answer = { status: { authenticated: true, user, audiences: ['berth'] } }
    expect(await reviewer.review('a.b.c', 'berth')).toEqual({
      ...{ authenticated: true, user: user.username, groups: user.groups, audiences: ['berth'] },
    })
    expect(asked).toEqual([
      {
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        authorization: 'Bearer the-token-of-the-backend',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token: 'a.b.c', audiences: ['berth'] },
        },
      },
    ])
  })

  it.each<[string, object, object]>([
    ['another audience', { error: 'token audiences are invalid' }, { reason: 'token audiences are invalid' }],
    ['a deleted account', { user: {}, error: 'not found' }, { reason: 'not found' }],
    ['nothing to say', {}, {}],
    ['a no', { authenticated: false, user }, {}],
  ])('says no: %s', async (_, status, expected) => {
    answer = { status }
    expect(await reviewer.review('a.b.c', 'berth')).toEqual({ authenticated: false, ...expected })
  })

  it.each<[string, object | string, RegExp]>([
    ['no TokenReview', { kind: 'Status' }, /answered no TokenReview/],
    ['no object', '"yes"', /answered no TokenReview/],
    ['no JSON', '<html>', /gave no answer/],
    ['somebody without a name', { status: { authenticated: true } }, /names nobody/],
    ['a name that is none', { status: { authenticated: true, user: { username: 7 } } }, /names nobody/],
    [
      'audiences that are none',
      { status: { authenticated: true, user, audiences: 'berth' } },
      /names nobody/,
    ],
  ])('answers something else, which is no answer: %s', async (_, said, expected) => {
    answer = said
    await expect(reviewer.review('a.b.c', 'berth')).rejects.toThrow(expected)
  })

  it('says that the backend may not ask: the right is missing', async () => {
    answer = 403
    await expect(reviewer.review('a.b.c', 'berth')).rejects.toThrow(/forbidden to it/)
    expect(asked).toHaveLength(1)
  })

  it('is asked by a diagnosis whether it may be asked', async () => {
    answer = { status: { allowed: true } }
    expect(await reviewer.check()).toMatchObject({ name: 'sign-in rights', state: 'ok' })
    answer = { status: {} }
    expect(await reviewer.check()).toMatchObject({
      state: 'fail',
      detail: expect.stringContaining('tokenreviews.authentication.k8s.io: create'),
      repair: expect.stringContaining('tokenReview.enabled=true'),
    })
    expect(asked.map(({ path, body }) => [path, body])).toEqual(
      Array(2).fill([
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          // In no namespace: whose a token is concerns the whole cluster.
          spec: {
            resourceAttributes: { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews' },
          },
        },
      ]),
    )
    answer = 403
    expect(await reviewer.check()).toMatchObject({
      state: 'fail',
      detail: expect.stringMatching(/could not be asked: .*forbidden to it/),
    })
  })

  it('is not sent a token when it is away, or somebody else', async () => {
    answer = { status: { authenticated: true, user, audiences: ['berth'] } }
    // No authority of this machine vouches for the server.
    const deceived = createTokenReviewer({ kubeconfig: kubeconfig(), timeoutMs: 2000 })
    await expect(deceived.review('a.b.c', 'berth')).rejects.toThrow(/self-signed/)
    await deceived.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(reviewer.review('a.b.c', 'berth')).rejects.toThrow(/gave no answer/)
    expect(asked).toEqual([])
  })

  it('has no connection any more when the reviewer is closed', async () => {
    answer = { status: {} }
    await reviewer.review('a.b.c', 'berth')
    expect(connections).toBe(1)
    await reviewer.close()
    await until('no connection', async () => connections === 0)
    await reviewer.close()
  })
})
