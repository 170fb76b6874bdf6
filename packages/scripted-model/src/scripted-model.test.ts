import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { limits } from './limits.ts'
import type { Listening } from './listen.ts'
import { builtInScenarios } from './load-scenarios.ts'
import { fingerprintOf } from './request-record.ts'
import { createScriptedModel, type ScriptedModel } from './scripted-model.ts'

let model: ScriptedModel
let server: Listening
beforeEach(async () => {
  model = createScriptedModel({ scenarios: builtInScenarios, delays: { scale: 0 } })
  server = await model.listen()
})
afterEach(() => server.close())

function ask(prompt: string, fields: object = {}, signal?: AbortSignal) {
  const body = {
    model: 'claude-opus-5-5',
    max_tokens: 1_000,
    messages: [{ role: 'user', content: prompt }],
    ...fields,
  }
  return fetch(`${server.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': 'secret' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
}

describe('endpoints', () => {
  test('a whole answer', async () => {
    const response = await ask('echo: hello')
    expect(response.headers.get('request-id')).toMatch(/^req_01/)
    expect(await response.json()).toMatchObject({
      id: expect.stringMatching(/^msg_01/),
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-5-5',
      content: [{ type: 'text', text: 'hello' }],
      stop_reason: 'end_turn',
      usage: { output_tokens: 2 },
    })
  })

  test('a streamed answer', async () => {
    const response = await ask('echo: hello', { stream: true })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const text = await response.text()
    expect(text).toMatch(/^event: message_start\ndata: \{"type":"message_start"/)
    expect(text).toContain('{"type":"text_delta","text":"hello"}')
    expect(text).toMatch(/event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/)
  })

  test('token counting, models and a sign of life', async () => {
    const count = await fetch(`${server.url}/v1/messages/count_tokens`, {
      method: 'POST',
      body: JSON.stringify({ model: 'claude', messages: [{ role: 'user', content: 'x'.repeat(400) }] }),
    })
    expect((await count.json()) as object).toEqual({ input_tokens: expect.any(Number) })
    const models = (await (await fetch(`${server.url}/v1/models?limit=9`)).json()) as {
      data: { id: string }[]
    }
    expect(models.data.map((one) => one.id)).toContain('claude-opus-5-5')
    expect((await fetch(`${server.url}/v1/models/claude-opus-5-5`)).status).toBe(200)
    expect((await fetch(`${server.url}/v1/models/none`)).status).toBe(404)
    expect((await fetch(server.url, { method: 'HEAD' })).status).toBe(200)
  })

  test.each([
    ['an unknown endpoint', 'GET', '/v1/none', undefined, 404, 'not_found_error'],
    ['no body', 'POST', '/v1/messages', undefined, 400, 'invalid_request_error'],
    ['no JSON', 'POST', '/v1/messages', '{', 400, 'invalid_request_error'],
    [
      'no messages',
      'POST',
      '/v1/messages',
      '{"model":"claude","max_tokens":1}',
      400,
      'invalid_request_error',
    ],
    [
      'an unknown model',
      'POST',
      '/v1/messages',
      '{"model":"gpt","max_tokens":1,"messages":[{"role":"user","content":"a"}]}',
      404,
      'not_found_error',
    ],
  ])('%s', async (_, method, path, body, status, type) => {
    const response = await fetch(`${server.url}${path}`, { method, ...(body === undefined ? {} : { body }) })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type, message: expect.any(String) },
    })
  })

  test('refuses a body that is too large, announced or not', async () => {
    const announced = httpRequest(`${server.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-length': limits.bodyBytes + 1 },
    })
    announced.on('error', () => {})
    announced.flushHeaders()
    const [response] = await once(announced, 'response')
    expect(response.statusCode).toBe(413)
    announced.destroy()
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    const sent = httpRequest(`${server.url}/v1/messages`, { method: 'POST' })
    sent.on('error', () => {})
    const answered = once(sent, 'response')
    for (let size = 0; size < limits.bodyBytes; size += chunk.length) sent.write(chunk)
    // One byte too many: what a server that hangs up has not read would reset the connection before its answer is read.
    sent.write('x')
    const [late] = await answered
    expect(late.statusCode).toBe(413)
    sent.destroy()
  })

  test('listens on a unix socket', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sm-'))
    const socketPath = join(directory, 's')
    const other = await model.listen({ socketPath })
    const request = httpRequest({ socketPath, path: '/v1/models' }).end()
    const [response] = await once(request, 'response')
    expect(response.statusCode).toBe(200)
    response.resume()
    await other.close()
    await rm(directory, { recursive: true, force: true })
  })
})

describe('faults', () => {
  test.each([400, 401, 403, 404, 429, 500, 529])('fail with %i', async (status) => {
    const response = await ask(`fail with ${status}`)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ type: 'error', error: { message: expect.any(String) } })
  })

  test('so many times, then succeed; each prompt and each session by itself', async () => {
    const statuses = async (fields: object) => {
      const seen: number[] = []
      for (let n = 0; n < 3; n++) seen.push((await ask('overloaded 2 times', fields)).status)
      return seen
    }
    expect(await statuses({ metadata: { user_id: 'a' } })).toEqual([529, 529, 200])
    expect(await statuses({ metadata: { user_id: 'b' } })).toEqual([529, 529, 200])
    model.reset()
    expect(await statuses({ metadata: { user_id: 'a' } })).toEqual([529, 529, 200])
  })

  test('retry-after', async () => {
    const response = await ask('fail with 429 1 times, retry after 7')
    expect(response.headers.get('retry-after')).toBe('7')
    expect((await ask('fail with 429 1 times, retry after 7')).status).toBe(200)
  })

  test.each([true, false])('a cut answer ends without its end (stream: %s)', async (stream) => {
    const response = await ask('cut the stream', { stream })
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    await model.waitForRequest((request) => request.outcome === 'cut')
    expect(await (await ask('cut the stream', { stream })).text()).toContain('attempt')
  })

  test('an error in mid-stream', async () => {
    const text = await (await ask('break the stream', { stream: true })).text()
    expect(text).toContain('event: content_block_delta')
    expect(text).toMatch(/event: error\ndata: \{"type":"error","error":\{"type":"overloaded_error"/)
    expect((await ask('break the stream 2 times')).status).toBe(529)
  })

  test.each([
    ['stall', true],
    ['stall', false],
    ['stall midway', true],
  ])('%s lasts until the client leaves (stream: %s)', async (prompt, stream) => {
    const abort = new AbortController()
    const answer = ask(prompt, { stream }, abort.signal).then((response) => response.text())
    const request = await model.waitForRequest((one) => one.scenario === 'stall')
    expect(request.outcome).toBe('open')
    abort.abort()
    await expect(answer).rejects.toThrow()
    await model.waitForRequest((one) => one === request && one.outcome === 'abandoned')
  })
})

describe('the record', () => {
  test('keeps what was asked, without secrets', async () => {
    await ask('echo: hello')
    expect(model.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/v1/messages',
      model: 'claude-opus-5-5',
      scenario: 'echo',
      outcome: 'answered',
      credential: { scheme: 'x-api-key', fingerprint: fingerprintOf('secret') },
      body: { messages: [{ role: 'user', content: 'echo: hello' }] },
    })
    expect(JSON.stringify(model.requests)).not.toContain('secret')
  })

  test('waits for requests, past and to come, and gives up', async () => {
    const waiting = model.waitForRequest(
      (request) => request.scenario === 'think' || request.path === '/later',
    )
    await ask('echo: a')
    await fetch(`${server.url}/later`)
    expect((await waiting).path).toBe('/later')
    expect((await model.waitForRequest((request) => request.path === '/later')).path).toBe('/later')
    await expect(model.waitForRequest(() => false, { timeoutMs: 1 })).rejects.toThrow(
      '2 others are on record',
    )
  })

  test('is bounded', async () => {
    for (let n = 0; n < limits.recordedRequests + 5; n++) await (await fetch(`${server.url}/n/${n}`)).text()
    expect(model.requests).toHaveLength(limits.recordedRequests)
    expect(model.requests.at(-1)?.path).toBe(`/n/${limits.recordedRequests + 4}`)
    model.reset()
    expect(model.requests).toHaveLength(0)
  })
})

test('what no scenario fits gets an honest answer', async () => {
  const own = createScriptedModel({
    scenarios: [
      {
        name: 'mine',
        description: 'Mine.',
        example: 'mine',
        when: { prompt: { contains: 'mine' } },
        steps: [{ text: 'yes' }],
      },
    ],
  })
  const listening = await own.listen()
  const body = { model: 'claude', max_tokens: 999, messages: [{ role: 'user', content: 'what is this?' }] }
  const response = await fetch(`${listening.url}/v1/messages`, { method: 'POST', body: JSON.stringify(body) })
  const text = await response.text()
  expect(text).toContain('no real model is connected')
  expect(text).toContain('- `mine`: Mine.')
  await listening.close()
})

test('refuses bad scenarios at once', () => {
  expect(() =>
    createScriptedModel({ scenarios: [{ name: 'x', description: 'd', steps: [{ text: '{{y}}' }] }] }),
  ).toThrow('steps[0].text')
})
