import type { ModelProviderSetting } from '@berth/contract'
import { expect, it } from 'vitest'
import { withServer } from '../../test-backend.ts'
import { BedrockProvider } from './bedrock.ts'
import { ask, messages, withOutbound } from './fakes/ask.ts'
import {
  awsCredentials,
  chunkFrame,
  exceptionFrame,
  fakeBedrock,
  type SeenByBedrock,
} from './fakes/fake-bedrock.ts'

type Setting = Extract<ModelProviderSetting, { kind: 'bedrock' }>
type Answer = Parameters<typeof fakeBedrock>[0]

const start = {
  type: 'message_start',
  message: { model: 'claude-sonnet-4-5-20250929', usage: { input_tokens: 7 } },
}
const stop = { type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 7 } }

const withBedrock = (
  answer: Answer,
  test: (provider: BedrockProvider, url: string) => Promise<void>,
  more: Partial<Setting> & { credentials?: string; value?: string } = {},
) =>
  withServer(fakeBedrock(answer), (url) =>
    withOutbound((outbound) => {
      const { value = JSON.stringify(awsCredentials), ...own } = more
      const setting: Setting = {
        kind: 'bedrock',
        region: 'eu-central-1',
        credentials: 'aws',
        url,
        models: {},
        ...own,
      }
      const agent = outbound.agent({ headersMs: 0, idleMs: 0 })
      return test(
        new BedrockProvider({ setting, credentials: async () => value, agent, now: () => Date.now() }),
        url,
      )
    }),
  )

const json =
  (body: object, seen: SeenByBedrock[] = []): Answer =>
  (request, response) => {
    seen.push(request)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

it('[P180] signs what it sends, names the model in the path, and passes on what Bedrock takes', async () => {
  const seen: SeenByBedrock[] = []
  await withBedrock(json({ type: 'message', model: 'm' }, seen), async (provider) => {
    const betas = 'claude-code-20250219, interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20'
    const body = {
      model: 'claude-sonnet-4-5',
      max_tokens: 5,
      messages: [{ role: 'user', content: 'Grüße' }],
      metadata: { user_id: 'u' },
      stream: false,
    }
    const { status, headers, json } = await ask(
      provider,
      messages(body, { headers: { 'anthropic-beta': betas } }),
    )
    expect(status).toBe(200)
    expect(json()).toEqual({ type: 'message', model: 'm' })
    expect(headers).toMatchObject({ 'request-id': 'req-1' })
  })
  expect(seen[0]?.url).toBe('/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke')
  expect(seen[0]?.body).toEqual({
    max_tokens: 5,
    messages: [{ role: 'user', content: 'Grüße' }],
    anthropic_version: 'bedrock-2023-05-31',
    anthropic_beta: ['interleaved-thinking-2025-05-14', 'tool-search-tool-2025-10-19'],
  })
  expect(JSON.stringify(seen)).not.toContain('CANARY')
})

it('signs with the token of a session, for a model whose id is an address', async () => {
  const seen: SeenByBedrock[] = []
  const id = 'arn:aws:bedrock:eu-central-1:1:application-inference-profile/a b+c'
  const value = JSON.stringify({ ...awsCredentials, sessionToken: 'session-CANARY' })
  await withBedrock(
    json({}, seen),
    async (provider) => {
      expect((await ask(provider, messages({ model: 'ours' }))).status).toBe(200)
      expect([...provider.hidden]).toEqual([awsCredentials.secretAccessKey, 'session-CANARY'])
    },
    { value, models: { ours: id } },
  )
  expect(seen[0]?.url).toBe(`/model/${encodeURIComponent(id)}/invoke`)
  expect(seen[0]?.headers).toMatchObject({ 'x-amz-security-token': 'session-CANARY' })
})

it('is told when the key is a wrong one', () =>
  withBedrock(
    json({}),
    async (provider) => {
      const { status, json } = await ask(provider, messages({ model: 'claude-x' }))
      expect(status).toBe(403)
      expect(json()).toEqual({
        type: 'error',
        error: { type: 'authentication_error', message: 'the signature is wrong' },
      })
    },
    { value: JSON.stringify({ ...awsCredentials, secretAccessKey: 'another' }) },
  ))

it.each(['', 'AKIA…', '{"accessKeyId":"a"}', '[]'])('says what a secret with %j should hold', (value) =>
  withBedrock(
    json({}),
    async (provider) => {
      await expect(ask(provider, messages({ model: 'claude-x' }))).rejects.toThrow(
        /The secret aws holds no AWS credentials: expected JSON with accessKeyId/,
      )
    },
    { value },
  ),
)

it('gives the events of a stream one by one, as Anthropic does', async () => {
  let more: (() => void) | undefined
  const waits = new Promise<void>((resolve) => {
    more = resolve
  })
  const answer: Answer = async (_, response) => {
    response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
    const bytes = chunkFrame(start)
    response.write(bytes.subarray(0, 9))
    response.write(bytes.subarray(9))
    // The rest comes only after the reader has the first event: nothing is held back.
    await waits
    response.end(Buffer.concat([chunkFrame({ type: 'ping' }), chunkFrame(stop)]))
  }
  await withBedrock(answer, async (provider) => {
    const { body, headers } = await provider.ask(
      messages({ model: 'claude-sonnet-4-5', stream: true }),
      new AbortController().signal,
    )
    expect(headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8' })
    const events: string[] = []
    for await (const chunk of body) {
      events.push(Buffer.from(chunk).toString('utf8'))
      more?.()
    }
    expect(events).toEqual([
      `event: message_start\ndata: ${JSON.stringify(start)}\n\n`,
      'event: ping\ndata: {"type":"ping"}\n\n',
      'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ])
  })
})

it('tells of an exception in the middle of a stream as Anthropic does', () =>
  withBedrock(
    (_, response) => {
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
      response.end(Buffer.concat([chunkFrame(start), exceptionFrame('throttlingException', 'Too many.')]))
    },
    async (provider) => {
      const { text } = await ask(provider, messages({ model: 'claude-x', stream: true }))
      expect(text).toContain(
        'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Too many."}}\n\n',
      )
    },
  ))

it.each([
  [400, 'ValidationException', 'invalid_request_error'],
  [403, 'AccessDeniedException:http://x', 'permission_error'],
  [404, 'ResourceNotFoundException', 'not_found_error'],
  [429, 'ThrottlingException', 'rate_limit_error'],
  [503, 'ServiceUnavailableException', 'overloaded_error'],
  [408, 'ModelTimeoutException', 'timeout_error'],
  [424, 'ModelErrorException', 'api_error'],
  [500, 'SomethingNew', 'api_error'],
])('tells of status %i, %s, as %s', (status, name, type) =>
  withBedrock(
    (_, response) => {
      response.writeHead(status, { 'x-amzn-errortype': name, 'retry-after': '3', 'x-secret': '1' })
      response.end(JSON.stringify({ message: 'No.' }))
    },
    async (provider) => {
      const answer = await ask(provider, messages({ model: 'claude-x' }))
      expect(answer.status).toBe(status)
      expect(answer.json()).toEqual({ type: 'error', error: { type, message: 'No.' } })
      expect(answer.headers).toEqual({
        'content-type': 'application/json',
        'request-id': 'req-1',
        'retry-after': '3',
      })
    },
  ),
)

it('counts tokens where Bedrock does, of the model itself', async () => {
  const seen: SeenByBedrock[] = []
  await withBedrock(json({ inputTokens: 12 }, seen), async (provider) => {
    const request = messages({ model: 'claude-sonnet-4-5', messages: [] }, { endpoint: 'count-tokens' })
    expect((await ask(provider, request)).json()).toEqual({ input_tokens: 12 })
  })
  const [{ url, body } = { url: '', body: {} }] = seen
  expect(url).toBe('/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens')
  const { invokeModel } = (body as { input: { invokeModel: { body: string } } }).input
  expect(JSON.parse(Buffer.from(invokeModel.body, 'base64').toString('utf8'))).toEqual({
    max_tokens: 1,
    messages: [],
    anthropic_version: 'bedrock-2023-05-31',
  })
})

it('says that it lists no models, asks none without a name, and follows no redirect', async () => {
  await withBedrock(json({}), async (provider) => {
    const list = await ask(provider, messages({}, { endpoint: 'models', method: 'GET' }))
    expect([list.status, list.text]).toEqual([404, expect.stringContaining('not_found_error')])
    await expect(ask(provider, messages({}))).rejects.toThrow('names no model')
    await expect(ask(provider, messages({}, { parsed: undefined, model: 'm' }))).rejects.toThrow(
      'no JSON object',
    )
  })
  await withBedrock(
    (_, response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end(),
    (provider) => expect(ask(provider, messages({ model: 'm' }))).rejects.toThrow('redirect (307)'),
  )
})
