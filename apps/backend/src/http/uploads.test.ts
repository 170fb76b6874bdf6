import { connect } from 'node:net'
import { limits, type Upload } from '@berth/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AnsweringRunner,
  answeringBackend,
  answeringRunner,
  hashOf,
} from '../files/fixtures/answering-runner.ts'
import { eventually, ownerToken, type TestBackend } from '../test-backend.ts'

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

const base = (of = session) => `/api/projects/default/sessions/${of}/uploads`
type Body = Upload & { code: string; sha256: string; items: Upload[] }

const begin = async (body: object) => (await backend.call<Body>(base(), { body })).body

const send = (upload: string, offset: number, bytes: string | Buffer) =>
  backend.call<Body>(`${base()}/${upload}`, {
    method: 'PATCH',
    body: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
    headers: { 'content-type': 'application/octet-stream', 'upload-offset': String(offset) },
  })

const finish = (upload: string) => backend.call<Body>(`${base()}/${upload}/finish`, { method: 'POST' })
const state = async (upload: string) => (await backend.call<Body>(`${base()}/${upload}`)).body

/** Sends the beginning of a request, and cuts the connection. */
const sendAndCut = (upload: string, offset: number, bytes: Buffer) =>
  new Promise<void>((resolve) => {
    const { hostname, port } = new URL(backend.url)
    const socket = connect(Number(port), hostname, () => {
      const head = [
        `PATCH ${base()}/${upload} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        `Authorization: Bearer ${ownerToken}`,
        'Content-Type: application/octet-stream',
        `Upload-Offset: ${offset}`,
        `Content-Length: ${bytes.length + 1000}`,
      ]
      socket.write(`${head.join('\r\n')}\r\n\r\n`)
      socket.write(bytes, () => socket.destroy())
    })
    socket.on('close', () => resolve())
  })

const blobsOf = async (upload: string) => {
  for await (const scope of backend.parts.blobs.scopes()) if (scope === upload) return true
  return false
}

describe('an upload', () => {
  it('arrives in pieces of any size and is written when it is whole', async () => {
    const bytes = Buffer.from(Array.from({ length: limits.transferPart + 5000 }, (_, i) => (i * 7919) % 256))
    const { upload, offset } = await begin({ path: 'big.bin', size: bytes.length, sha256: hashOf(bytes) })
    expect(offset).toBe(0)
    let at = 0
    for (const length of [1, 10, limits.transferPart - 3, 500, bytes.length]) {
      const { body, headers } = await send(upload, at, bytes.subarray(at, at + length))
      at = Math.min(at + length, bytes.length)
      expect([body.offset, headers.get('upload-offset')]).toEqual([at, String(at)])
      const row = await backend.parts.store.upload(upload)
      expect(row?.parts.length).toBe(Math.ceil(at / limits.transferPart))
    }
    const done = await finish(upload)
    expect(done).toMatchObject({
      status: 200,
      body: { path: 'big.bin', size: bytes.length, sha256: hashOf(bytes) },
    })
    expect(runner.files.get('big.bin')?.equals(bytes)).toBe(true)
    expect((await state(upload)).code).toBe('upload_not_found')
    expect(await blobsOf(upload)).toBe(false)
  })

  it('may be empty', async () => {
    const { upload } = await begin({ path: 'empty', size: 0 })
    expect((await finish(upload)).body).toMatchObject({ size: 0 })
  })

  it('goes on where it was when a sender breaks off, and after a restart', async () => {
    const bytes = Buffer.alloc(limits.transferPart + 100_000, 'abcdefg')
    const { upload } = await begin({ path: 'cut.bin', size: bytes.length })
    await sendAndCut(upload, 0, bytes.subarray(0, limits.transferPart + 50_000))
    const { offset } = await eventually('an offset', async () => {
      const found = await state(upload)
      return found.offset > 0 && found
    })
    expect(offset).toBeGreaterThanOrEqual(limits.transferPart)
    await runner.close()
    await backend.restart()
    const spec = await backend.spec(session)
    const known = await backend.parts.store.state(session)
    runner = answeringRunner(backend, { session, spec, n: known?.n ?? 0 })
    const again = await state(upload)
    expect(again.offset).toBeGreaterThanOrEqual(offset)
    const rest = await send(upload, again.offset, bytes.subarray(again.offset))
    expect(rest.body.offset).toBe(bytes.length)
    expect((await finish(upload)).body.sha256).toBe(hashOf(bytes))
  })

  it('refuses bytes at another place, too many, and an early end', async () => {
    const { upload } = await begin({ path: 'strict', size: 4 })
    expect((await send(upload, 1, 'ab')).body.code).toBe('upload_mismatch')
    expect((await send(upload, 0, 'ab')).body.offset).toBe(2)
    expect((await send(upload, 0, 'ab')).body.code).toBe('upload_mismatch')
    expect((await finish(upload)).body.code).toBe('upload_mismatch')
    expect((await send(upload, 2, 'cdefg')).body.code).toBe('too_large')
    expect((await state(upload)).offset).toBe(2)
    expect((await send(upload, 2, 'cd')).body.offset).toBe(4)
    expect((await finish(upload)).status).toBe(200)
    expect(String(runner.files.get('strict'))).toBe('abcd')
    const without = await backend.call<Body>(`${base()}/${upload}`, { method: 'PATCH' })
    expect(without.body.code).toMatch(/upload_not_found|invalid_input/)
  })

  it('is written by nobody twice at once', async () => {
    const { upload } = await begin({ path: 'twice', size: 200_000 })
    const bytes = Buffer.alloc(200_000, 'x')
    const answers = await Promise.all([1, 2, 3].map(() => send(upload, 0, bytes)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
    expect((await finish(upload)).body.sha256).toBe(hashOf(bytes))
  })

  it('keeps to what it was begun with', async () => {
    const wrong = await begin({ path: 'wrong', size: 1, sha256: hashOf('other') })
    await send(wrong.upload, 0, 'x')
    expect((await finish(wrong.upload)).body.code).toBe('version_mismatch')
    expect(runner.files.has('wrong')).toBe(false)
    runner.files.set('there', Buffer.from('old'))
    const fresh = await begin({ path: 'there', size: 1, expected: null })
    await send(fresh.upload, 0, 'x')
    expect((await finish(fresh.upload)).body.code).toBe('version_mismatch')
    for (const body of [
      { path: '../x', size: 1 },
      { path: 'x', size: -1 },
      { path: 'x', size: limits.upload + 1 },
    ])
      expect((await begin(body)).code).toBe('invalid_input')
  })

  it('is listed until it is finished or given up', async () => {
    const { upload } = await begin({ path: 'given/up', size: 3 })
    await send(upload, 0, 'ab')
    const { body } = await backend.call<Body>(base())
    expect(body.items.find((item) => item.upload === upload)).toMatchObject({
      path: 'given/up',
      offset: 2,
      size: 3,
    })
    expect((await backend.call(`${base()}/${upload}`, { method: 'DELETE' })).status).toBe(204)
    expect((await backend.call<Body>(`${base()}/${upload}`, { method: 'DELETE' })).body.code).toBe(
      'upload_not_found',
    )
    expect(await blobsOf(upload)).toBe(false)
  })

  it('belongs to its session, and its parts to the session’s runner', async () => {
    const { upload } = await begin({ path: 'mine', size: 3 })
    await send(upload, 0, 'abc')
    const other = await backend.idleSession()
    expect((await backend.call<Body>(`${base(other.session)}/${upload}`)).body.code).toBe('upload_not_found')
    const spec = await backend.spec(session)
    const path = `/runner/transfers/${upload}/${hashOf('abc')}`
    expect((await backend.callRunner(spec.token, path)).body).toBe('abc')
    expect((await backend.callRunner(other.spec.token, path)).status).toBe(404)
    const put = await backend.callRunner(spec.token, path, {
      method: 'PUT',
      body: Buffer.from('abc'),
      headers: { 'content-type': 'application/octet-stream' },
    })
    expect(put.status).toBe(404)
  })

  it('can’t be one of too many', async () => {
    const { session: busy } = await backend.idleSession()
    const codes = new Set<string | undefined>()
    for (let i = 0; i <= limits.openUploads; i++) {
      const { body } = await backend.call<Body>(base(busy), { body: { path: 'x', size: 1 } })
      codes.add(body.code)
    }
    expect([...codes]).toEqual([undefined, 'too_many_uploads'])
  })
})
