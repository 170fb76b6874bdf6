import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { limits, problem } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBackend, ownerToken, someId, type TestBackend, withBackend } from '../test-backend.ts'
import { requestOf, routeNames } from './test-rows.ts'

let backend: TestBackend
let roots: string
const sessions = '/api/projects/default/sessions'

beforeAll(async () => {
  backend = await createTestBackend()
  roots = join(backend.directory, 'repositories')
  await mkdir(join(roots, 'app'), { recursive: true })
  await symlink('/etc', join(roots, 'out'))
  await writeFile(join(roots, 'file'), '')
})
afterAll(() => backend.dispose())

/** Sends bytes as they are, and gives all that comes back until the connection ends. */
const raw = (url: string, text: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(answer)
      else reject(error)
    })
    socket.write(text)
  })

const head = (method: string, path: string, lines: string[] = []) =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${ownerToken}`,
    'Connection: close',
  ]
    .concat(lines, ['', ''])
    .join('\r\n')

const codeIn = (answer: string): string | undefined => /"code":"(\w+)"/.exec(answer)?.[1]

describe('bodies', () => {
  it.each<[string, string | Uint8Array, Record<string, string>, string]>([
    ['text that is not JSON', '{"prompt"', {}, 'invalid_json'],
    [
      'another media type',
      'prompt=x',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'unsupported_media_type',
    ],
    ['plain text', '{}', { 'content-type': 'text/plain' }, 'unsupported_media_type'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), {}, 'invalid_json'],
    ['nesting without end', `{"title":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, {}, 'invalid_json'],
    ['an array', '[]', {}, 'invalid_input'],
    ['null', 'null', {}, 'invalid_input'],
    ['an unknown field', '{"owner":{"id":"someone-else"}}', {}, 'invalid_input'],
    ['a prototype', '{"__proto__":{"x":1}}', {}, 'invalid_input'],
  ])('%s', async (_, body, headers, code) => {
    const answer = await backend.call(sessions, { body, headers })
    expect(problem.parse(answer.body)).toMatchObject({ code, status: answer.status })
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json\b/)
    expect(answer.headers.get('x-request-id')).toBe(answer.body.requestId)
  })

  it('does not repeat what it could not read', async () => {
    const { body } = await backend.call(sessions, { body: '{"title": SECRET-WORD}' })
    expect(JSON.stringify(body)).not.toContain('SECRET')
  })

  it('are as large as the row says', async () => {
    const small = await backend.call(`/api/projects/default`, {
      method: 'PATCH',
      headers: { 'if-match': '"1"' },
      body: { description: 'x'.repeat(limits.body) },
    })
    expect(small).toMatchObject({ status: 413, body: { code: 'too_large' } })
    const prompt = await backend.call(sessions, { body: { prompt: 'x'.repeat(limits.promptBody) } })
    expect(prompt.body).toMatchObject({ code: 'too_large' })
  })

  it('may be empty where none is needed', async () => {
    const { id } = await backend.session()
    const headers = { 'content-type': 'application/json' }
    for (const body of [undefined, '', '{}'])
      expect((await backend.call(`${sessions}/${id}/stop`, { method: 'POST', headers, body })).status).toBe(
        202,
      )
  })
})

describe('field errors', () => {
  it('name every offending field', async () => {
    const { body } = await backend.call(`${sessions}?limit=x`, {
      body: {
        title: ' ',
        prompt: [
          { type: 'text', text: '' },
          { type: 'file', name: 'a/b', data: '*' },
        ],
        labels: { '-x': 'v' },
        repositories: [{ url: 'ext::sh' }, { url: 'https://a/b', branch: '-x' }],
        settings: { turnMinutes: 0, model: '--x' },
        extra: 1,
      },
    })
    const fields = (body.errors as { field: string }[]).map(({ field }) => field)
    expect(fields).toEqual(
      expect.arrayContaining([
        'body',
        'body.title',
        'body.labels.-x',
        'body.repositories[0].url',
        'body.repositories[1].branch',
        'body.settings.turnMinutes',
        'body.settings.model',
      ]),
    )
    expect(fields.some((field) => field.startsWith('body.prompt'))).toBe(true)
  })

  it('say what is wrong with a name in a map', async () => {
    const { body } = await backend.call(sessions, { body: { settings: { env: { PATH: '/x' } } } })
    expect(body.errors).toEqual([{ field: 'body.settings.env.PATH', message: 'this name is reserved' }])
  })

  it.each([
    ['?limit=0', 'query.limit'],
    ['?limit=1000', 'query.limit'],
    ['?limit=1&limit=2', 'query.limit'],
    ['?phase=busy', 'query.phase[0]'],
    ['?text=a&text=b', 'query.text'],
    ['?deleted=yes', 'query.deleted'],
  ])('%s', async (query, field) => {
    const { status, body } = await backend.call(`${sessions}${query}`)
    expect(status).toBe(400)
    expect(body).toMatchObject({ code: 'invalid_input', errors: [expect.objectContaining({ field })] })
  })

  it.each([
    ['/api/projects/default/sessions/ses_1', 'path.session'],
    ['/api/projects/default/sessions/%00', 'path.session'],
    ['/api/projects/default/sessions/SESSION/events?after=-1', 'query.after'],
    ['/api/projects/default/sessions/SESSION/blobs/xyz', 'path.blob'],
  ])('%s', async (path, field) => {
    const { id } = await backend.session()
    const { body } = await backend.call(path.replace('SESSION', id))
    expect(body).toMatchObject({ code: 'invalid_input', errors: [{ field }] })
  })

  it('a name that no project can have is one that no project has', async () => {
    const { body } = await backend.call('/api/projects/UPPER/settings')
    expect(body).toMatchObject({ code: 'project_not_found' })
  })

  it.each([
    ['if-match', 'abc', 'headers.if-match'],
    ['if-match', '*', 'headers.if-match'],
  ])('header %s: %s', async (header, value, field) => {
    const body = { displayName: 'x' }
    const answer = await backend.call('/api/projects/default', {
      method: 'PATCH',
      body,
      headers: { [header]: value },
    })
    expect(answer.body).toMatchObject({ code: 'invalid_input', errors: [{ field }] })
  })

  it('an idempotency key that is too long, and a Last-Event-ID that no stream gave', async () => {
    const headers = { 'idempotency-key': 'k'.repeat(limits.idempotencyKey + 1) }
    expect((await backend.call(sessions, { body: {}, headers })).body).toMatchObject({
      errors: [{ field: 'headers.idempotency-key' }],
    })
    const { id } = await backend.session()
    const stream = { accept: 'text/event-stream', 'last-event-id': 'abc' }
    expect((await backend.call(`${sessions}/${id}/events`, { headers: stream })).body).toMatchObject({
      errors: [{ field: 'headers.last-event-id' }],
    })
  })
})

describe('cursors', () => {
  it.each(['x', 'W10', 'WyJhIl0', '!!', Buffer.from('[1,2]').toString('base64url')])('%s', async (cursor) => {
    const { body } = await backend.call(`${sessions}?cursor=${cursor}`)
    expect(body).toMatchObject({ status: 400, code: 'invalid_cursor' })
  })
})

describe('repositories', () => {
  it.each([
    ['ext::sh -c touch% /tmp/x', 'invalid_input'],
    ['--upload-pack=touch /tmp/x', 'invalid_input'],
    ['-oProxyCommand=x', 'invalid_input'],
    ['file://host/path', 'invalid_input'],
    ['ftp://host/x', 'invalid_input'],
    ['https://user:secret@host/x', 'invalid_input'],
    ['git@-oProxyCommand=x:y', 'invalid_input'],
    ['/etc', 'repository_not_allowed'],
    ['/etc/no-such-thing', 'repository_not_allowed'],
    ['file:///etc', 'repository_not_allowed'],
    ['FILE:///etc', 'invalid_input'],
    ['file:///%65tc', 'repository_not_allowed'],
    ['file:///%zz', 'repository_not_allowed'],
    ['file:///%00', 'repository_not_allowed'],
    ['ROOTS/out', 'repository_not_allowed'],
    ['ROOTS/out/ssl', 'repository_not_allowed'],
    ['ROOTS/../x', 'invalid_input'],
    ['file://ROOTS/%2e%2e/%2e%2e/etc', 'repository_not_allowed'],
    ['ROOTS-beside', 'repository_not_allowed'],
    ['ROOTS/missing', 'invalid_input'],
    ['ROOTS/file', 'invalid_input'],
    ['ROOTS/app', undefined],
    ['file://ROOTS/app', undefined],
    ['git@example.com:team/app.git', undefined],
  ])('%s', async (text, code) => {
    const url = text.replace('ROOTS', roots)
    const { body } = await backend.call(sessions, { body: { repositories: [{ url }] } })
    expect(body.code).toBe(code)
    if (code !== undefined) expect(body).toMatchObject({ errors: [{ field: 'body.repositories[0].url' }] })
  })

  it('that may not be used are all named', async () => {
    const repositories = [{ url: '/etc' }, { url: `${roots}/app` }, { url: '/var', name: 'b' }]
    const { body } = await backend.call(sessions, { body: { repositories } })
    expect(body).toMatchObject({
      code: 'repository_not_allowed',
      errors: [{ field: 'body.repositories[0].url' }, { field: 'body.repositories[2].url' }],
    })
  })

  it.each(['-x', 'a..b', 'a b', 'a~1', '@', 'a.lock', '/a', 'a/', '.a', 'x'.repeat(201)])(
    'branch %s',
    async (branch) => {
      const repositories = [{ url: 'https://example.com/a', branch }]
      const { body } = await backend.call(sessions, { body: { repositories } })
      expect(body).toMatchObject({
        code: 'invalid_input',
        errors: [{ field: 'body.repositories[0].branch' }],
      })
    },
  )
})

describe('HTTP', () => {
  it('answers other methods with 405 and those that are allowed', async () => {
    for (const method of ['PUT', 'OPTIONS', 'DELETE', 'QUERY']) {
      const answer = await backend.call(sessions, { method })
      expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } })
      expect(answer.headers.get('allow')).toBe('GET, POST, HEAD')
    }
    expect((await backend.call('/nothing', { method: 'OPTIONS' })).status).toBe(404)
  })

  it('answers HEAD as GET without a body, also where GET could stream', async () => {
    const { id } = await backend.session()
    for (const path of [
      sessions,
      `${sessions}/${id}`,
      `${sessions}/${id}/events`,
      '/livez',
      '/openapi.json',
    ]) {
      const answer = await backend.call(path, { method: 'HEAD', headers: { accept: 'text/event-stream' } })
      expect([path, answer.status, answer.body]).toEqual([path, 200, ''])
    }
    expect((await backend.call(`${sessions}/${someId('session')}`, { method: 'HEAD' })).status).toBe(404)
  })

  it.each([
    ['a bad percent-encoding', head('GET', '/api/projects/%zz'), 'route_not_found'],
    ['dots', head('GET', '/api/projects/../../etc/passwd'), 'route_not_found'],
    ['an absolute address', head('GET', 'http://evil.example/api/projects/nothing/x'), 'route_not_found'],
    ['a part that is too long', head('GET', `/api/projects/${'x'.repeat(5000)}`), 'route_not_found'],
    ['an address that is too long', head('GET', `/api/${'x'.repeat(20_000)}`), 'too_large'],
    ['headers that are too long', head('GET', '/livez', [`X: ${'x'.repeat(20_000)}`]), 'too_large'],
    ['an unknown method', head('FOO', '/livez'), 'invalid_input'],
    ['a method of WebDAV', head('PROPFIND', '/livez'), undefined],
    ['two lengths', head('POST', sessions, ['Content-Length: 2', 'Content-Length: 3']), 'invalid_input'],
    [
      'a length and chunks',
      head('POST', sessions, ['Content-Length: 2', 'Transfer-Encoding: chunked']),
      'invalid_input',
    ],
    ['no HTTP at all', 'hello\r\n\r\n', 'invalid_input'],
    ['TLS', Buffer.from('160301020001', 'hex'), undefined],
  ])('refuses %s', async (name, text, code) => {
    const answer = await raw(backend.url, text)
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d /)
    if (code !== undefined) expect([name, codeIn(answer)]).toEqual([name, code])
    expect(answer).not.toContain('"statusCode"')
  })

  it('cuts a sender off that is too slow', async () => {
    await withBackend(
      async ({ url, callRunner, idleSession }) => {
        const slow = head('POST', sessions, ['Content-Type: application/json', 'Content-Length: 1000'])
        const [headers, body] = await Promise.all([raw(url, 'GET /livez HTTP/1.1\r\n'), raw(url, `${slow}{`)])
        expect(codeIn(headers)).toBe('request_timeout')
        expect(codeIn(body)).toBe('request_timeout')
        const { spec } = await idleSession()
        expect((await callRunner(spec.token, '/runner/heartbeat', { body: {} })).status).toBe(204)
      },
      { requestTimeoutMs: 500 },
    )
  })
})

it('never fails at any row, whatever the method and the media type', async () => {
  for (const name of routeNames) {
    const { path } = requestOf(name)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-type': 'x/y' }]) {
        const body = method === 'GET' ? undefined : 'x'
        const { status } = await backend.call(path, {
          method,
          headers: headers as Record<string, string>,
          body,
        })
        expect([name, method, status >= 500]).toEqual([name, method, false])
      }
  }
})
