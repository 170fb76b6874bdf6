import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { SessionSummary } from '@berth/contract'
import { createManualClock, type ManualClock } from '@berth/testing'
import { describe, expect, it } from 'vitest'
import { eventually, ready, someId, type TestBackend, withBackend } from '../test-backend.ts'
import { timing } from './plan.ts'

const sessions = '/api/projects/default/sessions'

/** A backend whose time stands still until the test moves it. */
const withClock = (test: (backend: TestBackend, clock: ManualClock) => Promise<void>) => {
  const clock = createManualClock(Date.now())
  return withBackend((backend) => test(backend, clock), { clock })
}

/** Moves time on, step by step, until the summary is as wanted. */
const until = (
  {
    backend,
    clock,
    session,
    stepMs = 100,
  }: { backend: TestBackend; clock: ManualClock; session: string; stepMs?: number },
  condition: (summary: SessionSummary) => boolean,
) =>
  eventually('the summary that the test waits for', async () => {
    await clock.advance(stepMs)
    const summary = await backend.summary(session)
    return condition(summary) ? summary : undefined
  })

const typesOf = async ({ call }: TestBackend, session: string) =>
  (
    await call<{ items: { at: string; type: string; data: Record<string, unknown> }[] }>(
      `${sessions}/${session}/events`,
    )
  ).body.items

const listed = async ({ parts }: TestBackend): Promise<string[]> => {
  const found: string[] = []
  for await (const session of parts.blobs.scopes()) found.push(session)
  return found
}

const stop = ({ call }: TestBackend, session: string) =>
  call(`${sessions}/${session}/stop`, { method: 'POST' })

describe('a session', () => {
  it('is launched, becomes idle, and works on its prompt', () =>
    withClock(async (backend) => {
      const { session } = await backend.idleSession({ prompt: 'Hello' })
      const types = (await typesOf(backend, session)).map(({ type }) => type)
      expect(types).toEqual([
        'session.created',
        'prompt.queued',
        'generation.started',
        'runner.started',
        'agent.ready',
        'turn.started',
      ])
    }))

  it('whose runner crashes gets another, after ever longer waits, and fails in a loop; a resume tries again', () =>
    withClock(async (backend, clock) => {
      const { id: session } = await backend.session()
      for (let generation = 1; generation <= timing.maxRestarts; generation++) {
        await until({ backend, clock, session }, () =>
          backend.runtime.starts.some((spec) => spec.session === session && spec.generation === generation),
        )
        backend.runtime.end(session, 'crashed', { exitCode: 7, message: 'segmentation fault' })
        await until({ backend, clock, session, stepMs: 0 }, ({ restarts }) => restarts === generation)
      }
      const { status } = await until(
        { backend, clock, session, stepMs: 10_000 },
        ({ status }) => status.phase === 'failed',
      )
      expect(status).toMatchObject({
        reason: 'crash-loop',
        message: expect.stringContaining('segmentation fault'),
      })
      const ends = (await typesOf(backend, session)).filter(({ type }) => type === 'generation.ended')
      const waits = ends.map(({ at, data }) => Date.parse(String(data.retryAt)) - Date.parse(at))
      expect(waits).toEqual([0, 1000, 2000, 4000, 8000])
      await backend.call(`${sessions}/${session}/resume`, { method: 'POST' })
      const spec = await backend.spec(session, timing.maxRestarts + 1)
      await backend.facts(spec, 1, ...ready)
      expect(await backend.summary(session)).toMatchObject({ status: { phase: 'idle' }, restarts: 0 })
    }))

  it('whose runner is silent gets another; the silent one is fenced out and gone', () =>
    withClock(async (backend, clock) => {
      const { session, spec } = await backend.idleSession()
      await clock.advance(timing.silenceMs - 1000)
      await backend.callRunner(spec.token, '/runner/heartbeat', { body: {} })
      await clock.advance(5000)
      expect(await backend.summary(session)).toMatchObject({ generation: 1, status: { phase: 'idle' } })
      await until({ backend, clock, session, stepMs: 1000 }, ({ generation }) => generation === 2)
      const ended = (await typesOf(backend, session)).find(({ type }) => type === 'generation.ended')
      expect(ended?.data).toMatchObject({ reason: 'silent', generation: 1 })
      const answer = await backend.callRunner(spec.token, '/runner/heartbeat', { body: {} })
      expect(answer.body).toMatchObject({ code: 'fenced' })
      expect(await backend.runtime.observe(session)).toMatchObject({ state: 'running', generation: 2 })
    }))

  it('that is stopped lets its runner end by itself, then asks it, then forces it', () =>
    withClock(async (backend, clock) => {
      const asked: string[] = []
      backend.runtime.onEnsure((runner) => runner.onTerm(() => asked.push(runner.spec.session)))
      const { session } = await backend.idleSession()
      await stop(backend, session)
      await clock.advance(timing.silenceMs - 1000)
      expect([asked, (await backend.summary(session)).status.phase]).toEqual([[], 'stopping'])
      await until({ backend, clock, session }, () => asked.length === 1)
      expect((await backend.summary(session)).status.phase).toBe('stopping')
      const { status } = await until(
        { backend, clock, session, stepMs: 1000 },
        ({ status }) => status.phase === 'stopped',
      )
      expect(status).toMatchObject({ reason: 'user' })
      const ended = (await typesOf(backend, session)).at(-1)
      expect(ended).toMatchObject({ type: 'generation.ended', data: { signal: 'SIGKILL' } })
    }))

  it.each(['stop', 'delete'])('that is on its way ends as soon as it is told to: %s', (how) =>
    withClock(async (backend, clock) => {
      const { id: session } = await backend.session()
      await backend.spec(session)
      if (how === 'stop') await stop(backend, session)
      else await backend.call(`${sessions}/${session}`, { method: 'DELETE' })
      const before = clock.now()
      await until({ backend, clock, session }, ({ status }) => status.phase === 'stopped')
      expect(clock.now() - before).toBeLessThan(timing.graceMs + 1000)
    }),
  )

  it('that is stopped and ends well is stopped at once, and a prompt wakes it', () =>
    withClock(async (backend) => {
      const { session } = await backend.idleSession()
      await stop(backend, session)
      backend.runtime.end(session, 'exited', { exitCode: 0 })
      await eventually('the stop', async () => (await backend.summary(session)).status.phase === 'stopped')
      await backend.call(`${sessions}/${session}/prompts`, { body: { content: 'Go on' } })
      const spec = await backend.spec(session, 2)
      await backend.facts(spec, 1, ...ready)
      expect(await backend.summary(session)).toMatchObject({ status: { phase: 'working' }, restarts: 0 })
    }))

  it('that can’t be started is tried again, or fails, as the runtime says', () =>
    withClock(async (backend, clock) => {
      backend.runtime.failNextStart('unavailable', { message: 'no room' })
      const { id: first } = await backend.session()
      await until({ backend, clock, session: first }, ({ generation }) => generation === 2)
      const [, , ended] = await typesOf(backend, first)
      expect(ended).toMatchObject({
        data: { reason: 'create-error', message: expect.stringContaining('no room') },
      })
      backend.runtime.failNextStart('image', { retryable: false, message: 'no such image' })
      const { id: second } = await backend.session()
      const { status } = await until(
        { backend, clock, session: second },
        ({ status }) => status.phase === 'failed',
      )
      expect(status).toMatchObject({ reason: 'image', message: expect.stringContaining('no such image') })
    }))

  it('that is deleted can be restored, and is purged with everything when the time is over', () =>
    withClock(async (backend, clock) => {
      const { call, runtime } = backend
      const { session, spec } = await backend.idleSession({ prompt: 'x'.repeat(70_000) })
      const one = `${sessions}/${session}`
      const blobs = () => listed(backend)
      expect(await blobs()).toEqual([session])
      await call(one, { method: 'DELETE' })
      expect((await call(`${one}/restore`, { method: 'POST' })).body).toMatchObject({ desired: 'stopped' })
      await call(one, { method: 'DELETE' })
      runtime.end(session, 'exited', { exitCode: 0 })
      await until({ backend, clock, session }, ({ status }) => status.phase === 'stopped')
      const { purgeAt } = await backend.summary(session)
      expect(Date.parse(purgeAt ?? '') - clock.now()).toBeGreaterThan(23 * 3600_000)
      await clock.advance(3600_000)
      expect(await backend.summary(session)).toMatchObject({ desired: 'deleted' })
      clock.leap(23 * 3600_000)
      await eventually('the purge', async () => {
        // Less than a lease: a purge that takes longer than its lease is cut short, and begins again.
        await clock.advance(1000)
        return (await call(one)).status === 404
      })
      await eventually('no blobs', async () => (await blobs()).length === 0)
      await eventually('no runner', async () => (await runtime.list()).length === 0)
      const answer = await backend.callRunner(spec.token, '/runner/hello', { method: 'POST' })
      expect(answer.body).toMatchObject({ code: 'unauthenticated' })
    }))

  it('goes on though every hint is lost', () =>
    withBackend(async (backend) => {
      const { session } = await backend.idleSession()
      await backend.parts.runtime.close()
      backend.runtime.end(session, 'crashed', { exitCode: 1 })
      await backend.parts.store.heartbeat(session, 1, { now: 0 })
      await stop(backend, session)
      await eventually('the stop', async () => (await backend.summary(session)).status.phase === 'stopped')
    }))
})

describe('housekeeping', () => {
  it('sweeps runners and blobs that no session wants, but not those of one that is being created', () =>
    withClock(async (backend, clock) => {
      const { parts, runtime, session } = backend
      const [orphan, kept] = [someId('session'), (await session()).id]
      const bytes = Buffer.from('x')
      const blob = createHash('sha256').update(bytes).digest('hex')
      const young = `ses_${(await session()).id.slice(4, -1)}0`
      const base = `base_${'0'.repeat(32)}`
      for (const owner of [orphan, kept, young, base])
        await parts.blobs.put(owner, { blob, content: Readable.from([bytes]), maxBytes: 10 })
      const limits = { memoryBytes: 1, processes: 1, milliCpus: 1000 }
      await runtime.ensure({
        session: orphan,
        project: 'gone',
        generation: 1,
        backendUrl: '',
        token: 't',
        limits,
      })
      await eventually('the sweep', async () => {
        await clock.advance(61_000)
        const [files, runners] = [await listed(backend), await runtime.list()]
        return (
          !files.includes(orphan) &&
          !files.includes(base) &&
          !runners.some((runner) => runner.session === orphan)
        )
      })
      expect((await listed(backend)).sort()).toEqual([kept, young].sort())
      expect(backend.log.join('\n')).toContain('belongs to no session and is removed')
    }))

  it('stops a runner that outlived the backend which was about to stop it', () =>
    withClock(async (backend, clock) => {
      const { runtime } = backend
      const { session, spec } = await backend.idleSession()
      await stop(backend, session)
      runtime.end(session, 'exited', { exitCode: 0 })
      await until({ backend, clock, session }, ({ status }) => status.phase === 'stopped')
      await runtime.ensure({ ...spec, generation: 2 })
      await eventually('its end', async () => {
        await clock.advance(61_000)
        return (await runtime.observe(session)).state !== 'running'
      })
    }))
})
