import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type TestBackend, withBackend } from '../test-backend.ts'

const sha = (bytes: string) => createHash('sha256').update(bytes).digest('hex')
const key = 'c'.repeat(40)

const runnerOf = async (backend: TestBackend) => {
  const { id } = await backend.session()
  const { token } = await backend.spec(id)
  return (path: string, method: string, body?: unknown) =>
    backend.callRunner(token, `/runner/bases/${path}`, {
      method,
      ...(typeof body === 'string'
        ? { body, headers: { 'content-type': 'application/octet-stream' } }
        : { body }),
    })
}

describe('base packs', () => {
  it('are stored once and shared by the runners of a project', () =>
    withBackend(async (backend) => {
      const [one, two] = [await runnerOf(backend), await runnerOf(backend)]
      const part = { blob: sha('bytes'), size: 5, mediaType: 'application/octet-stream' }
      const missing = await one(`${key}/parts/${part.blob}`, 'PUT', 'bytes')
      expect(missing).toMatchObject({ status: 404, body: { code: 'base_not_found' } })
      expect((await one(key, 'POST')).body).toEqual({})
      expect(await one(key, 'PUT', { parts: [part] })).toMatchObject({
        status: 404,
        body: { code: 'blob_not_found' },
      })
      expect((await one(`${key}/parts/${sha('other')}`, 'PUT', 'bytes')).status).toBe(400)
      expect((await one(`${key}/parts/${part.blob}`, 'PUT', 'bytes')).status).toBe(204)
      expect((await two(key, 'POST')).body).toEqual({})
      expect((await one(key, 'PUT', { parts: [part] })).body).toEqual({ parts: [part] })
      expect((await two(key, 'POST')).body).toEqual({ parts: [part] })
      expect((await two(`${key}/parts/${part.blob}`, 'GET')).status).toBe(200)
      expect(await two(`${key}/parts/${sha('other')}`, 'GET')).toMatchObject({
        status: 404,
        body: { code: 'blob_not_found' },
      })
      expect((await one('no-commit', 'POST')).status).toBe(400)
    }))
})
