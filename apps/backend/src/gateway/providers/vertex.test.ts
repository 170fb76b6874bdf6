import type { ModelProviderSetting } from '@berth/contract'
import { expect, it } from 'vitest'
import { withServer } from '../../test-backend.ts'
import { ask, messages, withOutbound } from './fakes/ask.ts'
import { accessToken, fakeVertex, type SeenByVertex, serviceAccount } from './fakes/fake-vertex.ts'
import { GoogleTokens } from './google-tokens.ts'
import { VertexProvider } from './vertex.ts'

type Setting = Extract<ModelProviderSetting, { kind: 'vertex' }>
type Answer = Parameters<typeof fakeVertex>[0]

interface World {
  provider: (credentials?: string) => VertexProvider
  url: string
  /** Tokens that were given. */
  tokens: () => number
  later: (ms: number) => void
}

const withVertex = (
  answer: Answer,
  test: (world: World) => Promise<void>,
  { models = {} }: Partial<Setting> = {},
) => {
  const fake = fakeVertex(answer)
  return withServer(fake.handler, (url) =>
    withOutbound((outbound) => {
      let now = Date.now()
      const setting: Setting = {
        ...{
          kind: 'vertex',
          projectId: 'my-project',
          location: 'europe-west1',
          credentials: 'google',
          url,
          models,
        },
      }
      const agent = outbound.agent({ headersMs: 0, idleMs: 0 })
      const tokens = new GoogleTokens({ outbound, now: () => now })
      return test({
        url,
        provider: (credentials = serviceAccount(url)) =>
          new VertexProvider({ setting, credentials: async () => credentials, tokens, agent }),
        tokens: () => fake.world.tokens,
        later: (ms) => {
          now += ms
        },
      })
    }),
  )
}

const json =
  (body: object, seen: SeenByVertex[] = []): Answer =>
  (request, response) => {
    seen.push(request)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

it('[P181] exchanges a signed assertion for a token, once, and asks with it for the model in the path', async () => {
  const seen: SeenByVertex[] = []
  await withVertex(json({ type: 'message' }, seen), async ({ provider, tokens }) => {
    const body = { model: 'claude-sonnet-4-5', max_tokens: 5, stream: false }
    const headers = { 'anthropic-beta': 'interleaved-thinking-2025-05-14,files-api-2025-04-14' }
    const answers = await Promise.all([1, 2, 3].map(() => ask(provider(), messages(body, { headers }))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(tokens()).toBe(1)
  })
  const [{ url, headers, body } = { url: '', headers: {}, body: {} }] = seen
  expect(url).toBe(
    '/v1/projects/my-project/locations/europe-west1/publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict',
  )
  expect(body).toEqual({ max_tokens: 5, stream: false, anthropic_version: 'vertex-2023-10-16' })
  expect(headers).toMatchObject({ 'anthropic-beta': 'interleaved-thinking-2025-05-14' })
})

it('asks for another token shortly before the end of the one it has', () =>
  withVertex(json({}), async ({ provider, tokens, later }) => {
    await ask(provider(), messages({ model: 'm' }))
    later(3_200_000)
    await ask(provider(), messages({ model: 'm' }))
    expect(tokens()).toBe(1)
    later(200_000)
    await ask(provider(), messages({ model: 'm' }))
    expect(tokens()).toBe(2)
  }))

it('passes a stream on as it comes', () =>
  withVertex(
    ({ url }, response) => {
      expect(url).toMatch(/:streamRawPredict$/)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('event: message_start\ndata: {}\n\n')
      response.end('event: message_stop\ndata: {}\n\n')
    },
    async ({ provider }) => {
      const { text, headers } = await ask(provider(), messages({ model: 'claude-x', stream: true }))
      expect(text).toContain('event: message_stop')
      expect(headers).toMatchObject({ 'content-type': 'text/event-stream' })
    },
  ))

it('counts tokens where Vertex AI does', async () => {
  const seen: SeenByVertex[] = []
  await withVertex(json({ input_tokens: 9 }, seen), async ({ provider }) => {
    const request = messages({ model: 'claude-opus-4-1', messages: [] }, { endpoint: 'count-tokens' })
    expect((await ask(provider(), request)).json()).toEqual({ input_tokens: 9 })
  })
  expect(seen[0]?.url).toMatch(/\/models\/count-tokens:rawPredict$/)
  expect(seen[0]?.body).toMatchObject({ model: 'claude-opus-4-1@20250805', messages: [] })
})

it('says what is wrong with credentials, and nothing of what they hold', () =>
  withVertex(json({}), async ({ provider, url }) => {
    const tryWith = (credentials: string) => ask(provider(credentials), messages({ model: 'm' }))
    await expect(tryWith('{}')).rejects.toThrow('The secret google holds no key of a service account')
    await expect(tryWith(serviceAccount(url, { client_email: 'eve@x' }))).rejects.toThrow(
      /Google refused the service account in the secret google: invalid_grant \(Invalid issuer/,
    )
    const broken = `-----BEGIN PRIVATE KEY-----\nCANARY${'A'.repeat(100)}\n-----END PRIVATE KEY-----\n`
    const problem = await tryWith(serviceAccount(url, { private_key: broken })).catch((error) =>
      String(error),
    )
    expect(problem).toContain('can’t be used to sign')
    expect(problem).not.toContain('CANARY')
  }))

it.each([
  [403, { error: { code: 403, status: 'PERMISSION_DENIED', message: 'No.' } }, 'permission_error'],
  [429, [{ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'No.' } }], 'rate_limit_error'],
  [400, { type: 'error', error: { type: 'invalid_request_error', message: 'No.' } }, 'invalid_request_error'],
  [404, { error: { code: 404, status: 'NOT_FOUND', message: 'No.' } }, 'not_found_error'],
  [503, { error: { code: 503, status: 'UNAVAILABLE', message: 'No.' } }, 'overloaded_error'],
])('tells of status %i as Anthropic does', (status, body, type) =>
  withVertex(
    (_, response) => void response.writeHead(status, { 'retry-after': '2' }).end(JSON.stringify(body)),
    async ({ provider }) => {
      const answer = await ask(provider(), messages({ model: 'm' }))
      expect([answer.status, answer.json()]).toEqual([
        status,
        { type: 'error', error: { type, message: 'No.' } },
      ])
      expect(answer.headers).toMatchObject({ 'retry-after': '2' })
    },
  ),
)

it('keeps its token to itself', () =>
  withVertex(json({}), async ({ provider }) => {
    const one = provider()
    await ask(one, messages({ model: 'm' }))
    expect([...one.hidden]).toEqual([accessToken])
  }))
