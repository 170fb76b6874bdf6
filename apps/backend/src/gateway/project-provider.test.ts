import type { EventData, ModelProviderTest, Settings } from '@berth/contract'
import { expect, it } from 'vitest'
import { eventually, type TestBackend, withBackend, withServer } from '../test-backend.ts'
import { awsCredentials, chunkFrame, fakeBedrock } from './providers/fakes/fake-bedrock.ts'

const base = '/api/projects/default'

/** A stream of Bedrock that used 1000 tokens of input and 500 of output. */
const stream = [
  { type: 'message_start', message: { model: 'claude-sonnet-4-5-20250929', usage: { input_tokens: 1000 } } },
  { type: 'message_delta', delta: {}, usage: { output_tokens: 500 } },
  { type: 'message_stop' },
].map(chunkFrame)

const set = async ({ call }: TestBackend, settings: Settings) => {
  const { headers } = await call(`${base}/settings`)
  const etag = headers.get('etag') ?? ''
  const answer = await call(`${base}/settings`, {
    method: 'PATCH',
    body: settings,
    headers: { 'if-match': etag },
  })
  expect(answer.status).toBe(200)
}

it('a project’s provider makes its sessions live, answers and is metered like Anthropic, and can be tried', () =>
  withServer(
    fakeBedrock(({ url }, response) => {
      if (!url.endsWith('-stream')) return void response.end(JSON.stringify({ model: 'claude-haiku-4-5' }))
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
      response.end(Buffer.concat(stream))
    }),
    (url) =>
      withBackend(
        async (backend) => {
          const before = await backend.session()
          expect(before.modelSource).toBe('scripted')
          const models = {}
          const region = 'eu-central-1'
          await set(backend, { modelProvider: { kind: 'bedrock', region, credentials: 'aws', url, models } })
          const { session, spec } = await backend.idleSession({ prompt: 'Work' })
          expect(await backend.summary(session)).toMatchObject({ modelSource: 'live' })
          const answer = await fetch(`${backend.runnerUrl}/runner/model/v1/messages?beta=true`, {
            method: 'POST',
            headers: { authorization: `Bearer ${spec.token}`, 'content-type': 'application/json' },
            body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 9, stream: true, messages: [] }),
          })
          expect(answer.status).toBe(200)
          expect(await answer.text()).toContain('event: message_stop\ndata: {"type":"message_stop"}\n\n')
          const used = await eventually('the count', async () => {
            const { body } = await backend.call<{
              items: { type: string; data: EventData<'model.usage'> }[]
            }>(`${base}/sessions/${session}/events?limit=1000`)
            return body.items.find(({ type }) => type === 'model.usage')?.data
          })
          expect(used).toMatchObject({ user: 'owner', inputTokens: 1000, outputTokens: 500, costUsd: 0.0105 })
          const tested = await backend.call<ModelProviderTest>(`${base}/model-provider/test`, {
            method: 'POST',
            body: {},
          })
          expect(tested.body).toMatchObject({
            provider: 'bedrock',
            ok: true,
            keys: [{ name: 'aws', ok: true }],
          })
          expect(JSON.stringify(tested.body) + backend.log.join('\n')).not.toContain('CANARY-of-aws')
          expect(backend.log.join('\n')).not.toContain(awsCredentials.secretAccessKey)
        },
        { secrets: { value: async () => JSON.stringify(awsCredentials) } },
      ),
  ))
