import { readdir } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually, ownerToken, ready, type TestBackend, withBackend } from '../test-backend.ts'
import { readStream } from './test-stream.ts'

const authorization = `Bearer ${ownerToken}`

const read = (url: string, more: Record<string, string> = {}) => readStream(url, { authorization, ...more })

/** Asks for a stream and does not read it. */
const stalled = async (url: string): Promise<Socket> => {
  const { port, pathname, search } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.on('error', () => undefined)
  const lines = [`GET ${pathname}${search} HTTP/1.1`, 'Host: 127.0.0.1', 'Accept: text/event-stream']
  socket.write([...lines, `Authorization: ${authorization}`, '', ''].join('\r\n'))
  socket.pause()
  return socket
}

const eventsOf = ({ url }: TestBackend, session: string, query = '') =>
  `${url}/api/projects/default/sessions/${session}/events${query}`

const status = (text: string) => ({ type: 'agent.status' as const, data: { status: text } })

const seqs = ({ messages }: ReturnType<typeof read>) => messages.flatMap(({ data }) => data.seq ?? [])
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** Appends many large events to a session's log. */
const flood = async (backend: TestBackend, spec: Parameters<TestBackend['facts']>[0], count: number) => {
  const large = { type: 'agent.raw' as const, data: { kind: 'x', message: 'y'.repeat(60_000) } }
  for (let n = 0; n < count; n += 50)
    await backend.facts(spec, n + 3, ...Array.from({ length: Math.min(50, count - n) }, () => large))
}

describe('the stream of a session', () => {
  it('gives the same as the pages, then what comes', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const reader = read(eventsOf(backend, session))
      await eventually('the log so far', () => reader.messages.length >= 4)
      await backend.facts(spec, 3, status('a'), status('b'))
      await eventually('what came', () => reader.messages.length >= 6)
      const page = await backend.call<{ items: unknown[]; cursor: number; more: boolean }>(
        `/api/projects/default/sessions/${session}/events`,
      )
      expect(reader.messages.map(({ data }) => data)).toEqual(page.body.items)
      expect(reader.messages.map(({ id }) => Number(id))).toEqual(seqs(reader))
      expect(page.body).toMatchObject({ cursor: 6, more: false })
      reader.close()
    }))

  it('resumes after ?after, and after Last-Event-ID before that', () =>
    withBackend(async (backend) => {
      const { session } = await backend.idleSession()
      const after = read(eventsOf(backend, session, '?after=2'))
      const remembered = read(eventsOf(backend, session, '?after=1'), { 'last-event-id': '3' })
      await eventually('the rest', () => seqs(after).includes(4) && seqs(remembered).includes(4))
      expect([seqs(after), seqs(remembered)]).toEqual([[3, 4], [4]])
      const page = await backend.call(`/api/projects/default/sessions/${session}/events?after=1&limit=2`)
      expect(page.body).toMatchObject({ items: [{ seq: 2 }, { seq: 3 }], cursor: 3, more: true })
      after.close()
      remembered.close()
    }))

  it('beats while nothing comes', () =>
    withBackend(
      async (backend) => {
        const { id } = await backend.session()
        const reader = read(eventsOf(backend, id))
        await eventually('heartbeats', () => reader.heartbeats() >= 2)
        reader.close()
      },
      { heartbeatMs: 20 },
    ))

  it('tells its readers to reconnect when the backend stops, also one that reads nothing', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      await flood(backend, spec, 300)
      const lazy = await stalled(eventsOf(backend, session))
      const reader = read(eventsOf(backend, session, '?after=300'))
      await eventually('both streams', async () =>
        /berth_streams 2/.test(String((await backend.call('/metrics')).body)),
      )
      await backend.close()
      await reader.ended
      expect(reader.messages.at(-1)).toMatchObject({ event: 'reconnect' })
      lazy.destroy()
    }))

  it('ends for good when the session is purged', () =>
    withBackend(async (backend) => {
      const headers = { 'if-match': '"1"' }
      await backend.call('/api/projects/default/settings', {
        method: 'PATCH',
        headers,
        body: { undoHours: 0 },
      })
      const { id } = await backend.session()
      await backend.spec(id)
      const reader = read(eventsOf(backend, id))
      await backend.call(`/api/projects/default/sessions/${id}`, { method: 'DELETE' })
      await reader.ended
      expect(reader.messages.at(-1)).toMatchObject({ event: 'end', data: { code: 'session_not_found' } })
    }))

  it('loses nothing for a reader that is slow, stalls or flaps, and keeps little for it', () =>
    withBackend(async (backend) => {
      const { session, spec } = await backend.idleSession()
      const lazy = await Promise.all(upTo(20).map(() => stalled(eventsOf(backend, session))))
      const reader = read(eventsOf(backend, session))
      const before = process.memoryUsage().rss
      await flood(backend, spec, 600)
      await eventually('everything', () => seqs(reader).length >= 604)
      expect(seqs(reader)).toEqual(upTo(604))
      // 36 MB for each of 20 readers would be 720 MB.
      expect(process.memoryUsage().rss - before).toBeLessThan(400e6)
      let got: number[] = []
      while (got.length < 604) {
        const flapping = read(eventsOf(backend, session, `?after=${got.at(-1) ?? 0}`))
        await eventually('something', () => flapping.messages.length > 0)
        flapping.close()
        await flapping.ended
        got = [...got, ...seqs(flapping)]
      }
      expect(got).toEqual(upTo(604))
      const [first, ...others] = lazy
      let bytes = ''
      first?.on('data', (chunk) => {
        bytes = `${bytes}${chunk}`.slice(-200_000)
      })
      first?.resume()
      await eventually('the last event at the reader that stalled', () => bytes.includes('"seq":604'))
      for (const socket of [first, ...others]) socket?.destroy()
      reader.close()
    }))

  it('leaves nothing behind after 1,000 reconnects', () =>
    withBackend(async (backend) => {
      const { session } = await backend.idleSession()
      const descriptors = async () => (await readdir('/proc/self/fd')).length
      const before = { descriptors: await descriptors(), timers: process.getActiveResourcesInfo().length }
      for (let i = 0; i < 50; i++)
        await Promise.all(
          upTo(20).map(async () => {
            const reader = read(eventsOf(backend, session))
            await eventually('an event', () => reader.messages.length > 0)
            reader.close()
            await reader.ended
          }),
        )
      await eventually('no stream', async () =>
        /berth_streams 0/.test(String((await backend.call('/metrics')).body)),
      )
      await eventually('no descriptor', async () => (await descriptors()) <= before.descriptors + 5)
      await eventually('no timer', () => process.getActiveResourcesInfo().length <= before.timers + 10)
    }))
})

describe('the stream of a project', () => {
  const changes = (backend: TestBackend, query = '') => `${backend.url}/api/projects/default/changes${query}`

  it('pushes every change of the list once, in order', () =>
    withBackend(async (backend) => {
      const { body } = await backend.call<{ revision: number }>('/api/projects/default/sessions')
      const reader = read(changes(backend, `?after=${body.revision}`))
      const { session, spec } = await backend.idleSession()
      await backend.facts(spec, 3, status('not shown while idle'))
      await backend.call(`/api/projects/default/sessions/${session}/stop`, { method: 'POST' })
      await eventually('the stop', () =>
        reader.messages.some(({ data }) => JSON.stringify(data).includes('"phase":"stopping"')),
      )
      const revisions = reader.messages.map(({ data }) => data.revision ?? 0)
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
      reader.close()
    }))

  it('says reset to a place that it does not know', () =>
    withBackend(async (backend) => {
      await backend.session()
      const reader = read(changes(backend, '?after=999999'))
      await eventually('a reset', () => reader.messages.length > 0)
      expect(reader.messages[0]?.data).toMatchObject({ type: 'reset' })
      const page = await backend.call('/api/projects/default/changes?after=999999')
      expect(page.body).toMatchObject({ items: [{ type: 'reset' }] })
      reader.close()
    }))

  it('ends with the project', () =>
    withBackend(async (backend) => {
      await backend.call('/api/projects', { body: { name: 'short' } })
      const reader = read(`${backend.url}/api/projects/short/changes`)
      await eventually('the stream', async () =>
        /berth_streams 1/.test(String((await backend.call('/metrics')).body)),
      )
      await backend.call('/api/projects/short?confirm=short', { method: 'DELETE' })
      await reader.ended
      expect(reader.messages.at(-1)).toMatchObject({ event: 'end', data: { code: 'project_not_found' } })
    }))
})

it('a runner follows the log of its own session', () =>
  withBackend(async (backend) => {
    const { session, spec } = await backend.idleSession()
    const reader = read(`${backend.runnerUrl}/runner/events?after=2`, {
      authorization: `Bearer ${spec.token}`,
    })
    const body = { content: 'Hello' }
    await backend.call(`/api/projects/default/sessions/${session}/prompts`, { body })
    await eventually('the turn', () => reader.messages.some(({ data }) => data.type === 'turn.started'))
    expect(seqs(reader)).toEqual([3, 4, 5, 6])
    expect(ready.length).toBe(2)
    reader.close()
  }))
