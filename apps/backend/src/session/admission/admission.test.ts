import type { ProjectQueue, SessionSummary } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import { eventually, type TestBackend, withBackend } from '../../test-backend.ts'
import { type Capacity, unlimited } from './capacity.ts'

const mebibyte = 1024 * 1024

const withRoom = (room: Partial<Capacity>, test: (backend: TestBackend) => Promise<void>) =>
  withBackend(test, { capacity: { ...unlimited, ...room } })

const queue = async ({ call }: TestBackend, project = 'default') =>
  (await call<ProjectQueue>(`/api/projects/${project}/queue`)).body

const waits = (backend: TestBackend, session: string) =>
  eventually(`${session} to wait`, async () => {
    const { status } = await backend.summary(session)
    return status.phase === 'pending' && status.reason === 'capacity' ? status : undefined
  })

const starts = (backend: TestBackend, session: string) =>
  eventually(`${session} to start`, async () => {
    const { status } = await backend.summary(session)
    return status.phase === 'starting' || undefined
  })

const inProject = async ({ call }: TestBackend, project: string): Promise<string> =>
  (await call<SessionSummary>(`/api/projects/${project}/sessions`, { body: {} })).body.id

describe('[P40] a session for which there is no room', () => {
  it('waits, says why and at which place, and starts as soon as another one ends', () =>
    withRoom({ sessions: 1 }, async (backend) => {
      const first = await backend.session()
      await starts(backend, first.id)
      const [second, third] = [await backend.session(), await backend.session()]
      expect(await waits(backend, second.id)).toMatchObject({ since: second.createdAt })
      await waits(backend, third.id)
      expect(await queue(backend)).toEqual({
        items: [
          expect.objectContaining({ session: second.id, position: 1, reason: 'sessions' }),
          expect.objectContaining({ session: third.id, position: 2, since: third.createdAt }),
        ],
        waiting: 2,
        capacity: {
          sessions: { used: 1, limit: 1 },
          project: { used: 1 },
          memoryBytes: { used: 384 * mebibyte },
        },
      })
      await backend.call(`/api/projects/default/sessions/${first.id}/stop`, { method: 'POST' })
      await starts(backend, second.id)
      expect((await queue(backend)).items).toMatchObject([{ session: third.id, position: 1 }])
      const { body } = await backend.call<{ items: { type: string }[] }>(
        `/api/projects/default/sessions/${third.id}/events`,
      )
      expect(body.items.map(({ type }) => type)).toEqual(['session.created', 'session.waits'])
    }))

  it('can be stopped, and prompts that it got wait with it', () =>
    withRoom({ sessions: 1 }, async (backend) => {
      await starts(backend, (await backend.session()).id)
      const { id } = await backend.session({ prompt: 'Hello' })
      await waits(backend, id)
      await backend.call(`/api/projects/default/sessions/${id}/stop`, { method: 'POST' })
      expect(await backend.summary(id)).toMatchObject({ status: { phase: 'stopped' }, queue: [{}] })
      expect(await queue(backend)).toMatchObject({ items: [], waiting: 0 })
    }))

  it('waits for its own project’s limit without holding others up, until that is raised', () =>
    withRoom({}, async (backend) => {
      await backend.call('/api/projects', { body: { name: 'small', settings: { liveSessions: 1 } } })
      const own = [await inProject(backend, 'small'), await inProject(backend, 'small')]
      await eventually('the wait', async () => (await queue(backend, 'small')).waiting === 1)
      await starts(backend, (await backend.session()).id)
      const { items, capacity } = await queue(backend, 'small')
      expect(items).toMatchObject([{ session: own[1], reason: 'project-sessions' }])
      expect(capacity.project).toEqual({ used: 1, limit: 1 })
      expect((await queue(backend)).items).toEqual([])
      await backend.call('/api/projects/small/settings', {
        method: 'PATCH',
        body: { liveSessions: 2 },
        headers: { 'if-match': '"1"' },
      })
      await backend.spec(own[1] ?? '')
    }))

  it('waits for memory as it is measured, and starts when agents use less', () =>
    withRoom({ memoryBytes: 1000 * mebibyte, reservedBytes: 300 * mebibyte }, async (backend) => {
      const { spec } = await backend.idleSession()
      const beat = (memory: number) =>
        backend.callRunner(spec.token, '/runner/heartbeat', { body: { memoryBytes: memory * mebibyte } })
      await beat(800)
      const { id } = await backend.session()
      expect(await waits(backend, id)).toMatchObject({ message: expect.stringContaining('1000 MiB') })
      expect((await queue(backend)).capacity.memoryBytes).toEqual({
        used: 800 * mebibyte,
        limit: 1000 * mebibyte,
      })
      await beat(400)
      await starts(backend, id)
    }))

  it('is the first to get room after one whose runner was lost, which keeps its own', () =>
    withRoom({ sessions: 1 }, async (backend) => {
      const { session } = await backend.idleSession()
      const { id } = await backend.session()
      await waits(backend, id)
      backend.runtime.end(session, 'crashed', { exitCode: 1 })
      await backend.spec(session, 2)
      expect((await backend.summary(id)).status.phase).toBe('pending')
    }))
})

describe('[P44] a backend that comes back', () => {
  it('counts the runners that it finds before it admits anybody', () =>
    withRoom({ sessions: 2 }, async (backend) => {
      const [first] = [await backend.idleSession(), await backend.idleSession()]
      const { id } = await backend.session()
      await waits(backend, id)
      await backend.restart()
      expect(await queue(backend)).toMatchObject({
        items: [{ session: id, position: 1 }],
        capacity: { sessions: { used: 2, limit: 2 } },
      })
      const later = await backend.session()
      await waits(backend, later.id)
      expect(backend.runtime.starts).toHaveLength(2)
      await backend.call(`/api/projects/default/sessions/${first?.session}/stop`, { method: 'POST' })
      backend.runtime.end(first?.session ?? '', 'exited', { exitCode: 0 })
      await starts(backend, id)
    }))
})

describe('what operators watch', () => {
  it('tells who lives, who waits, and how long that took', () =>
    withRoom({ sessions: 1 }, async (backend) => {
      const { spec } = await backend.idleSession()
      await backend.callRunner(spec.token, '/runner/heartbeat', { body: { memoryBytes: 1000 } })
      await waits(backend, (await backend.session()).id)
      const text = await (
        await fetch(`${backend.url}/metrics`, { headers: { authorization: `Bearer ${tokenOf(backend)}` } })
      ).text()
      for (const line of [
        'berth_live_sessions 1',
        'berth_queue_sessions 1',
        'berth_live_sessions_memory_bytes 1000',
        'berth_queue_seconds_count 1',
      ])
        expect(text).toContain(line)
    }))
})

const tokenOf = ({ parts }: TestBackend) => parts.ownerToken
