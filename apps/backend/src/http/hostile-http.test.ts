import { connect } from 'node:net'
import { allRoutes, errorsOf } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestBackend, ownerToken, type TestBackend } from '../test-backend.ts'

let backend: TestBackend
beforeAll(async () => {
  backend = await createTestBackend()
})
afterAll(() => backend.dispose())

/** Sends bytes as they are, and gives all that comes until the other side hangs up. */
const send = (base: string, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base)
    const socket = connect({ host: hostname, port: Number(port) })
    let answer = ''
    socket.setEncoding('latin1')
    socket.on('connect', () => socket.end(Buffer.from(bytes, 'latin1')))
    socket.on('data', (chunk: string) => {
      answer += chunk
    })
    // One that is cut off has answered, or not.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? resolve(answer) : reject(error),
    )
    socket.on('close', () => resolve(answer))
  })

const statusesIn = (answer: string): number[] =>
  [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))

const head = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`
const usual = () => [`Host: ${new URL(backend.url).host}`, `Authorization: Bearer ${ownerToken}`]
const made = async () =>
  (await backend.call<{ items: { name: string }[] }>('/api/projects')).body.items.map(({ name }) => name)

const body = JSON.stringify({ name: 'smuggled' })
const inner = () =>
  head(
    'POST /api/projects HTTP/1.1',
    ...usual(),
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ) + body

describe('[P202] what is not quite HTTP', () => {
  it.each<[string, (length: number) => string[]]>([
    ['two lengths', (length) => ['Content-Length: 0', `Content-Length: ${length}`]],
    ['a length and chunks', (length) => [`Content-Length: ${length}`, 'Transfer-Encoding: chunked']],
    ['chunks and a length', (length) => ['Transfer-Encoding: chunked', `Content-Length: ${length}`]],
    ['an unknown coding', () => ['Transfer-Encoding: xchunked']],
    ['chunks that come before another coding', () => ['Transfer-Encoding: chunked, identity']],
    ['chunks with a space before the colon', () => ['Transfer-Encoding : chunked']],
    ['chunks on a folded line', () => ['X-A: a', ' Transfer-Encoding: chunked']],
    ['a bare line feed in a header', () => ['X-A: a\nTransfer-Encoding: chunked']],
    ['a bare carriage return in a header', () => ['X-A: a\rTransfer-Encoding: chunked']],
    ['a length with a sign', () => ['Content-Length: +5']],
    ['a length in hexadecimal', () => ['Content-Length: 0x5']],
    ['a NUL in a header', () => ['X-A: a\0b']],
  ])('smuggles nothing behind it: %s', async (_, lines) => {
    const hidden = inner()
    const answer = await send(
      backend.url,
      `${head('POST /api/logout HTTP/1.1', ...usual(), ...lines(hidden.length))}0\r\n\r\n${hidden}`,
    )
    expect(statusesIn(answer)).toHaveLength(1)
    expect(statusesIn(answer)[0]).toBeGreaterThanOrEqual(400)
    expect(await made()).not.toContain('smuggled')
  })

  it.each([
    ['in lines too long', () => [`X-A: ${'a'.repeat(20_000)}`]],
    ['in too many lines', () => Array.from({ length: 3000 }, (_, i) => `X-${i}: aaaaaaaa`)],
  ])('is refused before anything is read: headers %s', async (_, lines) => {
    const answer = await send(backend.url, head('GET /api/me HTTP/1.1', ...usual(), ...lines()))
    expect(statusesIn(answer)).toEqual([413])
    expect(answer).toContain('"too_large"')
  })

  it('[P201] is documented where it can happen: at every row', () => {
    const rows = Object.entries(allRoutes).filter(([, row]) => !errorsOf(row).includes('too_large'))
    expect(rows.map(([name]) => name)).toEqual([])
  })
})

describe('[P202] a path that is spelt otherwise', () => {
  it.each([
    '//api/me',
    '/api//me',
    '/api/./me',
    '/api/x/../me',
    '/api/%2e%2e/api/me',
    '/api/me/',
    '/API/me',
    '/api/me%00',
    '/api/me;x=1',
    '/api\\me',
    '/runner/hello',
    '/api/projects/default%2f..%2fother/sessions',
    '/api/projects/default/sessions/..%2f..%2fother',
  ])('leads nowhere: %s', async (path) => {
    const answer = await send(backend.url, head(`GET ${path} HTTP/1.1`, ...usual(), 'Connection: close'))
    expect([400, 404]).toContain(statusesIn(answer)[0])
  })

  it('is no way to another host: an address in the place of a path', async () => {
    for (const target of ['http://169.254.169.254/latest', 'http://localhost:1/x', '*', 'me'])
      expect(
        statusesIn(
          await send(backend.url, head(`GET ${target} HTTP/1.1`, ...usual(), 'Connection: close')),
        )[0],
      ).toBeGreaterThanOrEqual(400)
    expect(
      statusesIn(await send(backend.url, head('CONNECT localhost:22 HTTP/1.1', ...usual()))),
    ).not.toContain(200)
  })

  it('of a session in another place changes nothing, on the runners’ port neither', async () => {
    for (const path of ['/runner//hello', '/runner/../api/me', '/api/me', '/runner/model/../../api/me']) {
      const answer = await send(
        backend.runnerUrl,
        head(`GET ${path} HTTP/1.1`, ...usual(), 'Connection: close'),
      )
      expect([400, 401, 404]).toContain(statusesIn(answer)[0])
    }
  })
})

it('[P202] two credentials are none', async () => {
  const other = 'Authorization: Bearer brt_owner_another-token-that-is-long-enough'
  const ask = async (...lines: string[]) =>
    statusesIn(await send(backend.url, head('GET /api/me HTTP/1.1', ...lines, 'Connection: close')))
  expect(await ask(other, ...usual())).toEqual([401])
  expect(await ask(...usual(), other)).toEqual([401])
  expect(await ask(...usual())).toEqual([200])
})
