import { limits } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { savedSession } from '../checkpoints/fixtures/saved-session.ts'
import {
  type AnsweringRunner,
  answeringBackend,
  answeringRunner,
  hashOf,
} from '../files/fixtures/answering-runner.ts'
import { eventually, ownerToken, type TestBackend, withBackend } from '../test-backend.ts'

let backend: TestBackend
let session: string
let runner: AnsweringRunner

beforeAll(async () => {
  ;({ backend, session, runner } = await answeringBackend())
})
afterAll(async () => {
  await runner.close()
  await backend.dispose()
})

const address = (path: string, of = session) => `/api/projects/default/sessions/${of}/${path}`

/** The answer with its bytes. */
const ask = async (path: string, options: RequestInit = {}, of = session) => {
  const headers = { authorization: `Bearer ${ownerToken}`, ...(options.headers as object) }
  const response = await fetch(`${backend.url}${address(path, of)}`, { ...options, headers })
  const bytes = Buffer.from(await response.arrayBuffer())
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    bytes,
    code: response.headers.get('content-type')?.includes('problem')
      ? JSON.parse(String(bytes)).code
      : undefined,
    json: () => JSON.parse(String(bytes)),
  }
}

const put = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  ask(`files/content?path=${encodeURIComponent(path)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })

const scopes = async () => {
  const found: string[] = []
  for await (const scope of backend.parts.blobs.scopes()) if (scope.startsWith('opn_')) found.push(scope)
  return found
}

describe('a file of a live session', () => {
  it('is written and read with its SHA-256 as ETag, as a download, and nothing is left over', async () => {
    const text = 'x'.repeat(limits.transferPart + 10)
    const written = await put('dir/a "ü".txt', text)
    expect(written.json()).toEqual({
      path: 'dir/a "ü".txt',
      size: text.length,
      sha256: hashOf(text),
      created: true,
    })
    const read = await ask(`files/content?path=${encodeURIComponent('dir/a "ü".txt')}`)
    expect(String(read.bytes)).toBe(text)
    expect(read).toMatchObject({
      status: 200,
      headers: {
        etag: `"${hashOf(text)}"`,
        'content-length': String(text.length),
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="a ___.txt"; filename*=UTF-8''a%20%22%C3%BC%22.txt`,
        'x-content-type-options': 'nosniff',
        'accept-ranges': 'bytes',
      },
    })
    await eventually('no blobs', async () => (await scopes()).length === 0)
  })

  it.each([
    ['bytes=0-0', 206, 'a', 'bytes 0-0/10'],
    ['bytes=2-4', 206, 'cde', 'bytes 2-4/10'],
    ['bytes=7-', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-3', 206, 'hij', 'bytes 7-9/10'],
    ['bytes=-99', 206, 'abcdefghij', 'bytes 0-9/10'],
    ['bytes=5-99', 206, 'fghij', 'bytes 5-9/10'],
    ['bytes=10-', 416, undefined, undefined],
    ['bytes=-0', 416, undefined, undefined],
    ['bytes=4-2', 200, 'abcdefghij', undefined],
    ['bytes=0-1,3-4', 200, 'abcdefghij', undefined],
    ['lines=1-2', 200, 'abcdefghij', undefined],
  ])('is read by range: %s', async (range, status, text, place) => {
    runner.files.set('letters', Buffer.from('abcdefghij'))
    const { headers, ...answer } = await ask('files/content?path=letters', { headers: { range } })
    expect(answer.status).toBe(status)
    if (text !== undefined) expect(String(answer.bytes)).toBe(text)
    else expect(answer.code).toBe('range_not_satisfiable')
    expect(headers['content-range']).toBe(place)
  })

  it('is read by range across parts, and whole when it changed since', async () => {
    const bytes = Buffer.concat([
      Buffer.alloc(limits.transferPart, 'a'),
      Buffer.alloc(limits.transferPart, 'b'),
    ])
    runner.files.set('large', bytes)
    const at = limits.transferPart - 2
    const range = `bytes=${at}-${at + 3}`
    expect(String((await ask('files/content?path=large', { headers: { range } })).bytes)).toBe('aabb')
    const same = { range, 'if-range': `"${hashOf(bytes)}"` }
    expect((await ask('files/content?path=large', { headers: same })).status).toBe(206)
    const other = { range, 'if-range': `"${hashOf('x')}"` }
    expect((await ask('files/content?path=large', { headers: other })).status).toBe(200)
    const known = { 'if-none-match': `"x", "${hashOf(bytes)}"` }
    expect(await ask('files/content?path=large', { headers: known })).toMatchObject({
      status: 304,
      bytes: Buffer.alloc(0),
    })
    const head = await ask('files/content?path=large', { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': String(bytes.length) } })
    await eventually('no blobs', async () => (await scopes()).length === 0)
  })

  it('is written over what is expected only', async () => {
    await put('guarded', 'one')
    expect((await put('guarded', 'two', { 'if-match': `"${hashOf('else')}"` })).code).toBe('version_mismatch')
    expect((await put('guarded', 'two', { 'if-none-match': '*' })).code).toBe('version_mismatch')
    expect((await put('guarded', 'two', { 'if-match': '"1"' })).code).toBe('invalid_input')
    expect((await put('guarded', 'two', { 'if-none-match': '"x"' })).code).toBe('invalid_input')
    expect(String(runner.files.get('guarded'))).toBe('one')
    expect((await put('guarded', 'two', { 'if-match': `"${hashOf('one')}"` })).status).toBe(200)
    expect((await put('fresh', 'new', { 'if-none-match': '*' })).status).toBe(200)
    expect((await put('guarded', '')).json()).toMatchObject({ size: 0, created: false })
    expect((await put('run', '#!', {})).status).toBe(200)
    const removed = await ask('files?path=guarded&recursive=true', { method: 'DELETE' })
    expect([removed.status, runner.files.has('guarded')]).toEqual([204, false])
    expect((await ask('files?path=guarded', { method: 'DELETE' })).code).toBe('file_not_found')
  })

  it('is refused when it is too large, also when nobody said so before', async () => {
    const asked = runner.asked.length
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    const endless = new ReadableStream({
      pull(controller) {
        sent += 1
        if (sent > 200) controller.close()
        else controller.enqueue(chunk)
      },
    })
    const answer = await ask('files/content?path=big', {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: endless,
      duplex: 'half',
    } as RequestInit).catch((error) => ({ code: String(error.cause?.code) }))
    // The connection may be cut before the answer was read.
    expect(['too_large', 'EPIPE', 'ECONNRESET', 'UND_ERR_SOCKET']).toContain(answer.code)
    expect(runner.asked.length).toBe(asked)
    await eventually('no blobs', async () => (await scopes()).length === 0)
  })

  it.each(['', '/etc/passwd', '../x', 'a/../b', 'a//b', './a', 'a\0b', 'a/'])(
    'has no path like %j',
    async (path) => {
      const query = `path=${encodeURIComponent(path)}`
      expect((await ask(`files/content?${query}`)).code).toBe('invalid_input')
      expect((await put(path, 'x')).code).toBe('invalid_input')
      expect((await ask(`files?${query}`, { method: 'DELETE' })).code).toBe('invalid_input')
    },
  )

  it('is listed with the others, page after page, and packed', async () => {
    runner.files.clear()
    for (const name of ['a', 'b', 'c', 'd', 'e']) runner.files.set(name, Buffer.from(name))
    const names: string[] = []
    let cursor: string | undefined
    do {
      const page = (await ask(`files?${cursor === undefined ? '' : `cursor=${cursor}`}`)).json()
      names.push(...page.items.map(({ name }: { name: string }) => name))
      expect(page.source).toEqual({})
      cursor = page.next
    } while (cursor !== undefined)
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect((await ask('files?cursor=x!')).code).toBe('invalid_cursor')
    const packed = await ask('archive?path=a')
    expect(packed).toMatchObject({ status: 200, headers: { 'content-type': 'application/gzip' } })
    expect(packed.headers['content-disposition']).toContain('filename="a.tar.gz"')
    expect((await ask('artifacts')).json()).toMatchObject({ more: true })
    expect(runner.asked.at(-1)).toEqual({ kind: 'list', path: 'artifacts', recursive: true })
  })

  it('takes what the runner does back when the reader goes', async () => {
    const held = Promise.withResolvers<void>()
    runner.hold = held.promise
    const abort = new AbortController()
    const asking = ask('files', { signal: abort.signal }).catch(String)
    const open = await eventually('an operation', async () => {
      const state = await backend.parts.store.state(session)
      return state?.operations[0]
    })
    abort.abort()
    await asking
    await eventually('that it was cancelled', async () => {
      const state = await backend.parts.store.state(session)
      return state?.operations.includes(open) === false
    })
    held.resolve()
  })
})

describe('files of a session without a runner', { timeout: 60_000 }, () => {
  it('are read as they were saved, and not changed', () =>
    withBackend(async (own) => {
      const saved = await savedSession(own, { files: { 'a.txt': 'saved text' } })
      const first = await saved.turn()
      await saved.stop()
      const call = (path: string, options: object = {}) =>
        own.call<Record<string, unknown>>(address(path, saved.session), options)
      const listed = await call('files?path=lib')
      expect(listed.body).toMatchObject({ items: [{ name: 'a.txt' }], source: { checkpoint: 1 } })
      expect((await call(`files?path=lib&turn=${first}`)).body).toMatchObject({ source: { checkpoint: 1 } })
      const read = await call('files/content?path=lib/a.txt', { headers: { range: 'bytes=0-4' } })
      expect([read.status, read.body]).toEqual([206, 'saved'])
      expect(read.headers.get('etag')).toBe('"checkpoint-1"')
      expect((await call('archive?path=lib')).status).toBe(200)
      expect((await call('artifacts')).body).toEqual({ items: [], more: false, source: {} })
      const body = new Uint8Array([1])
      const headers = { 'content-type': 'application/octet-stream' }
      const written = await call('files/content?path=x', { method: 'PUT', body, headers })
      expect(written.body).toMatchObject({
        code: 'session_not_live',
        detail: expect.stringMatching(/wake=true/),
      })
      expect((await call('files?path=x', { method: 'DELETE' })).body.code).toBe('session_not_live')
    }))

  it('can be written when it is woken for that', () =>
    withBackend(async (own) => {
      const { session: sleeping, spec } = await own.idleSession()
      await own.call(address('stop', sleeping), { method: 'POST' })
      own.runtime.end(sleeping, 'exited')
      await eventually(
        'that it is stopped',
        async () => (await own.summary(sleeping)).status.phase === 'stopped',
      )
      expect((await own.call<{ code: string }>(address('files', sleeping))).body.code).toBe(
        'session_not_live',
      )
      const body = new Uint8Array([1, 2])
      const headers = { 'content-type': 'application/octet-stream' }
      const options = { method: 'PUT', body, headers }
      const writing = own.call(address('files/content?path=x&wake=true', sleeping), options)
      const next = await own.spec(sleeping, spec.generation + 1)
      const woken = answeringRunner(own, { session: sleeping, spec: next, n: 2 })
      await own.facts(
        next,
        1,
        { type: 'runner.started', data: { version: '1', sandbox: 'none' } },
        { type: 'agent.ready', data: {} },
      )
      expect((await writing).status).toBe(200)
      expect(woken.files.get('x')).toEqual(Buffer.from([1, 2]))
      await woken.close()
    }))
})
