import { describe, expect, it } from 'vitest'
import { withBackend } from '../test-backend.ts'

const at = '2026-01-31T14:05:09.000Z'
const line = (text: string, source = 'runner') => ({ at, source, text })

describe('the runner’s log', () => {
  it('[P75] is written by the runner of now and read page by page', () =>
    withBackend(async ({ call, callRunner, idleSession }) => {
      const { session, spec } = await idleSession()
      const send = (...lines: object[]) =>
        callRunner(spec.token, '/runner/logs', { method: 'POST', body: { lines } })
      const read = async (query: string) =>
        (await call(`/api/projects/default/sessions/${session}/logs?${query}`)).body
      expect(await read('')).toEqual({ items: [], cursor: 0, more: false })
      expect((await send({ ...line('a'), level: 'warn' }, line('b', 'agent'))).status).toBe(204)
      expect((await send(line('c'))).status).toBe(204)
      expect(await read('limit=2')).toMatchObject({
        items: [{ text: 'b' }, { text: 'c' }],
        cursor: 3,
        more: false,
      })
      expect(await read('limit=2&after=0')).toMatchObject({
        items: [{ n: 1, generation: 1, level: 'warn', text: 'a', at }, { n: 2 }],
        cursor: 2,
        more: true,
      })
      expect(await read('source=agent&after=0')).toMatchObject({
        items: [{ text: 'b' }],
        cursor: 2,
        more: false,
      })
      expect(await read('after=3')).toEqual({ items: [], cursor: 3, more: false })
    }))

  it('takes no control characters, no other fields, and nothing that is too long', () =>
    withBackend(async ({ callRunner, idleSession }) => {
      const { spec } = await idleSession()
      for (const wrong of [line('a\u001b[2J'), line('a\nb'), line('x'.repeat(2001)), line('x', 'door'), {}])
        expect(
          await callRunner(spec.token, '/runner/logs', { method: 'POST', body: { lines: [wrong] } }),
        ).toMatchObject({ status: 400, body: { code: 'invalid_input' } })
      const lines = Array.from({ length: 201 }, () => line('x'))
      expect((await callRunner(spec.token, '/runner/logs', { method: 'POST', body: { lines } })).status).toBe(
        400,
      )
    }))
})
