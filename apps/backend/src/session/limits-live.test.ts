import type { SessionSettingsView } from '@berth/contract'
import { createManualClock, type ManualClock } from '@berth/testing'
import { describe, expect, it } from 'vitest'
import { eventually, type TestBackend, withBackend } from '../test-backend.ts'

const minute = 60_000
const sessions = '/api/projects/default/sessions'

const withClock = (test: (backend: TestBackend, clock: ManualClock) => Promise<void>) => {
  const clock = createManualClock(Date.now())
  return withBackend((backend) => test(backend, clock), { clock })
}

/** Moves time on in steps in which the runner shows life, until the session stops. */
const live = async (
  { backend, clock, token }: { backend: TestBackend; clock: ManualClock; token: string },
  { minutes, until }: { minutes: number; until?: () => Promise<boolean> },
): Promise<void> => {
  for (let passed = 0; passed < minutes * minute; passed += 10_000) {
    if (await until?.()) return
    await backend.callRunner(token, '/runner/heartbeat', { body: {} })
    await clock.advance(10_000)
  }
}

const events = async ({ call }: TestBackend, session: string) =>
  (await call<{ items: { type: string; data: Record<string, unknown> }[] }>(`${sessions}/${session}/events`))
    .body.items

const change = ({ call }: TestBackend, path: string, version: number, body: object) =>
  call<SessionSettingsView & { code?: string }>(`${path}/settings`, {
    method: 'PATCH',
    body,
    headers: { 'if-match': `"${version}"` },
  })

const stopping = (backend: TestBackend, session: string) =>
  eventually('the stop', async () => {
    const { status } = await backend.summary(session)
    return status.phase === 'stopping' ? status : undefined
  })

describe('[P43] a deadline', () => {
  it('is announced, then ends the session in the middle of its turn; it goes on when it was raised', () =>
    withClock(async (backend, clock) => {
      const { session, spec } = await backend.idleSession({
        prompt: 'Hello',
        settings: { deadlineMinutes: 30, idleMinutes: 0 },
      })
      const { token } = spec
      await live({ backend, clock, token }, { minutes: 26 })
      expect((await events(backend, session)).map(({ type }) => type)).not.toContain('session.notice')
      await live({ backend, clock, token }, { minutes: 2 })
      await eventually('the warning', async () =>
        (await events(backend, session)).some(({ type }) => type === 'session.notice'),
      )
      const hasStopped = async () => (await backend.summary(session)).status.phase === 'stopping'
      await live({ backend, clock, token }, { minutes: 5, until: hasStopped })
      expect(await stopping(backend, session)).toMatchObject({ reason: 'deadline' })
      backend.runtime.end(session, 'exited', { exitCode: 0 })
      const stopped = await eventually('the end', async () => {
        const summary = await backend.summary(session)
        return summary.status.phase === 'stopped' ? summary : undefined
      })
      expect(stopped).toMatchObject({ lastTurn: { result: 'interrupted', code: 'deadline' } })
      const log = await events(backend, session)
      expect(log.filter(({ type }) => type === 'session.notice')).toHaveLength(1)
      const resume = () => backend.call(`${sessions}/${session}/resume`, { method: 'POST' })
      expect(await resume()).toMatchObject({ status: 409, body: { code: 'limit_reached' } })
      const set = await change(backend, `${sessions}/${session}`, stopped.version, { deadlineMinutes: 60 })
      expect(set.body).toMatchObject({
        own: { deadlineMinutes: 60 },
        origins: { deadlineMinutes: 'session' },
      })
      expect((await resume()).status).toBe(202)
      await backend.spec(session, 2)
    }))
})

describe('a project’s settings', () => {
  it('count for sessions that live, as soon as they change', () =>
    withClock(async (backend, clock) => {
      const { session, spec } = await backend.idleSession()
      await live({ backend, clock, token: spec.token }, { minutes: 3 })
      expect((await backend.summary(session)).status.phase).toBe('idle')
      await change(backend, '/api/projects/default', 1, { idleMinutes: 2 })
      expect(await stopping(backend, session)).toMatchObject({ reason: 'idle' })
      expect((await events(backend, session)).map(({ type }) => type).slice(-2)).toEqual([
        'session.limits_changed',
        'session.stop_requested',
      ])
    }))

  it('do not count where the session sets its own value, until it takes that back', () =>
    withClock(async (backend, clock) => {
      const { session, spec } = await backend.idleSession({ settings: { idleMinutes: 60 } })
      await live({ backend, clock, token: spec.token }, { minutes: 3 })
      await change(backend, '/api/projects/default', 1, { idleMinutes: 2 })
      const view = (await backend.call<SessionSettingsView>(`${sessions}/${session}/settings`)).body
      expect(view).toMatchObject({ effective: { idleMinutes: 60 }, origins: { idleMinutes: 'session' } })
      expect((await backend.summary(session)).status.phase).toBe('idle')
      const back = await change(backend, `${sessions}/${session}`, view.version, { idleMinutes: null })
      expect(back.body).toMatchObject({ own: {}, origins: { idleMinutes: 'project' } })
      // Changing a setting is work too, so the time begins anew.
      const hasStopped = async () => (await backend.summary(session)).status.phase === 'stopping'
      await live({ backend, clock, token: spec.token }, { minutes: 4, until: hasStopped })
      expect(await stopping(backend, session)).toMatchObject({ reason: 'idle' })
    }))
})

describe('settings of a session', () => {
  it('are refused when the project’s policy forbids them, or on another version', () =>
    withClock(async (backend) => {
      await change(backend, '/api/projects/default', 1, { allowedModels: ['claude-*'] })
      const { id } = await backend.session()
      const path = `${sessions}/${id}`
      for (const name of ['model', 'fallbackModel', 'smallModel'])
        expect((await change(backend, path, 1, { [name]: 'other' })).body.code).toBe('model_not_allowed')
      expect((await change(backend, path, 1, { workflow: { url: '/etc' } })).body).toMatchObject({
        code: 'repository_not_allowed',
        errors: [{ field: 'body.workflow.url' }],
      })
      expect((await change(backend, path, 1, { undoHours: 5 })).body.code).toBe('invalid_input')
      expect((await change(backend, path, 7, { maxTurns: 5 })).body.code).toBe('version_mismatch')
      const { body, headers } = await change(backend, path, 1, { model: 'claude-x', maxTurns: 5 })
      expect(body).toMatchObject({ version: 2, own: { model: 'claude-x', maxTurns: 5 } })
      expect(headers.get('etag')).toBe('"2"')
      expect(await backend.summary(id)).toMatchObject({ model: 'claude-x' })
    }))
})
