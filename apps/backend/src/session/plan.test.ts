import { foldSession, type NewEvent, type SessionState } from '@berth/contract'
import type { RunnerObservation } from '@berth/runtime'
import { describe, expect, it } from 'vitest'
import { backoffMs, type Observed, plan, type Step, timing } from './plan.ts'

const start = Date.parse('2026-01-01T00:00:00.000Z')
const session = 'ses_01m855ymq0fmba5kdj51nnmvf3'
const actor = { kind: 'backend', id: 'test' } as const

/** Runners see things in a generation. */
type SeenEvent = NewEvent & { generation?: number }

const created: NewEvent = {
  type: 'session.created',
  data: {
    session,
    project: 'default',
    title: 'T',
    labels: {},
    repositories: [],
    settings: {},
    model: 'scripted',
  },
}
const launched: NewEvent = { type: 'generation.started', data: { generation: 1, runtime: 'fake' } }
const startedUp: SeenEvent = {
  type: 'runner.started',
  generation: 1,
  data: { version: '1', sandbox: 'none' },
}
const readyAgent: SeenEvent = { type: 'agent.ready', generation: 1, data: {} }
const stopAsked: NewEvent = { type: 'session.stop_requested', data: { reason: 'user' } }
const resumed: NewEvent = { type: 'session.resume_requested', data: {} }
const failed: NewEvent = { type: 'session.failed', data: { reason: 'clone', message: 'no' } }
const ended = (generation: number, retryAt?: number): NewEvent => ({
  type: 'generation.ended',
  data: {
    generation,
    reason: 'crashed',
    message: 'boom',
    retryAt: retryAt === undefined ? undefined : new Date(retryAt).toISOString(),
  },
})

const stateAfter = (...events: SeenEvent[]): SessionState => {
  let state: SessionState | undefined
  for (const [index, event] of [created, ...events].entries())
    state = foldSession(state, {
      seq: index + 1,
      at: new Date(start).toISOString(),
      version: 1,
      actor,
      ...event,
    } as never)
  if (state === undefined) throw new Error('unreachable')
  return state
}

const absent: RunnerObservation = { state: 'absent', session }
const running: RunnerObservation = { state: 'running', session, generation: 1, startedAt: start }
const crashed: RunnerObservation = {
  state: 'ended',
  session,
  generation: 1,
  reason: 'crashed',
  exitCode: 7,
  message: 'exit code 7',
  endedAt: start,
}

const look = (state: SessionState, runner: RunnerObservation, more: Partial<Observed> = {}): Step =>
  plan({ state, runner, now: start, startedAt: start, aliveAt: start, limits: state.limits, ...more })

describe('plan', () => {
  const connected = { ...stateAfter(launched), connected: true }
  const doomed: NewEvent = {
    type: 'session.deleted',
    data: { purgeAt: new Date(start + 1000).toISOString() },
  }
  const deleted = stateAfter(doomed)

  it.each<[string, Step, Partial<Step>]>([
    ['launches what is pending', look(stateAfter(), absent), { do: 'launch' }],
    ['asks again for a runner that was never seen', look(stateAfter(launched), absent), { do: 'ensure' }],
    [
      'does not ask for ever',
      look(stateAfter(launched), absent, { now: start + timing.askMs }),
      { do: 'end', reason: 'lost' },
    ],
    ['ends what was seen and is gone', look(connected, absent), { do: 'end', reason: 'lost' }],
    ['reports why a runner ended', look(connected, crashed), { do: 'end', reason: 'crashed', kill: false }],
    ['leaves a living runner alone', look(connected, running), { do: 'nothing' }],
    [
      'fences a silent runner out',
      look(connected, running, { now: start + timing.silenceMs }),
      { do: 'end', reason: 'silent', kill: true },
    ],
    [
      'lets a runner stop by itself',
      look(stateAfter(launched, startedUp, stopAsked), running),
      { do: 'nothing' },
    ],
    [
      'stops one that has not said that it is up',
      look(stateAfter(launched, stopAsked), running),
      { do: 'stop', graceMs: timing.graceMs },
    ],
    [
      'stops one that is on its way to a session that is deleted',
      look(stateAfter(launched, startedUp, doomed), running),
      { do: 'stop', graceMs: timing.graceMs },
    ],
    [
      'lets a runner end by itself that worked for a session that is deleted',
      look(stateAfter(launched, startedUp, readyAgent, doomed), running),
      { do: 'nothing' },
    ],
    [
      'stops a runner that does not',
      look(stateAfter(launched, startedUp, stopAsked), running, { now: start + timing.stopMs }),
      { do: 'stop' },
    ],
    [
      'gives a stopping runner that still shows life its time',
      look(stateAfter(launched, startedUp, stopAsked), running, {
        now: start + 60_000,
        aliveAt: start + 59_000,
      }),
      { do: 'nothing', againInMs: timing.silenceMs - 1000 },
    ],
    [
      'stops the runner of a failed session',
      look(stateAfter(launched, startedUp, failed), running, { now: start + timing.stopMs }),
      { do: 'stop' },
    ],
    [
      'stops a runner that does not, also when the session was resumed meanwhile',
      look(stateAfter(launched, startedUp, stopAsked, resumed), running, { now: start + timing.stopMs }),
      { do: 'stop' },
    ],
    [
      'stops what is left of a failed session that was resumed',
      look(stateAfter(launched, startedUp, failed, resumed), running, { now: start + timing.stopMs }),
      { do: 'stop' },
    ],
    ['does nothing for a stopped session', look(stateAfter(stopAsked), absent), { do: 'nothing' }],
    ['ends a runner that no session wants', look(stateAfter(stopAsked), running), { do: 'stop', graceMs: 0 }],
    ['waits with a purge', look(deleted, absent), { do: 'nothing', againInMs: 1000 }],
    ['purges when it is time', look(deleted, absent, { now: start + 1000 }), { do: 'purge' }],
    [
      'waits before the next try',
      look(stateAfter(launched, ended(1, start + 500)), absent),
      { do: 'nothing', againInMs: 500 },
    ],
    [
      'tries again then',
      look(stateAfter(launched, ended(1, start + 500)), absent, { now: start + 500 }),
      { do: 'launch' },
    ],
  ])('%s', (_, step, expected) => {
    expect(step).toMatchObject(expected)
  })

  describe('where a start takes long', () => {
    const scheduling = { step: 'schedule', state: 'started' } as const
    const steps = [scheduling]
    const told: NewEvent = { type: 'generation.step', data: { generation: 1, ...scheduling } }
    const late = start + 10 * timing.silenceMs

    it('tells how far it is, once', () => {
      expect(look(stateAfter(launched), { ...running, steps })).toEqual({ do: 'tell', steps })
      expect(look(stateAfter(launched, told), { ...running, steps })).toMatchObject({ do: 'nothing' })
      const failedStep = { step: 'schedule', state: 'failed', message: '0/1 nodes' } as const
      expect(look(stateAfter(launched, told), { ...running, steps: [failedStep] })).toEqual({
        do: 'tell',
        steps: [failedStep],
      })
    })

    it('fills no log when a step goes back and forth', () => {
      const back: NewEvent = {
        type: 'generation.step',
        data: { generation: 1, step: 'schedule', state: 'failed' },
      }
      const state = stateAfter(launched, ...Array.from({ length: 20 }, () => [told, back]).flat())
      expect(look(state, { ...running, steps })).toMatchObject({ do: 'nothing' })
    })

    it('does not take a runner that has not begun for a silent one', () => {
      const state = stateAfter(launched, told)
      expect(look(state, { ...running, steps }, { now: late })).toMatchObject({ do: 'nothing' })
      const begun = { ...running, steps, beganAt: late - 1000 }
      expect(look(state, begun, { now: late })).toMatchObject({ do: 'nothing' })
      expect(look(state, begun, { now: late + timing.silenceMs })).toMatchObject({ reason: 'silent' })
    })

    it.each(['image', 'unschedulable'] as const)('gives up at once: %s', (reason) => {
      const end: NewEvent = { type: 'generation.ended', data: { generation: 1, reason, message: 'No way.' } }
      const step = look(stateAfter(launched, end), absent)
      expect(step).toMatchObject({ do: 'fail', reason, message: expect.stringContaining('No way.') })
      const failedFor: NewEvent = { type: 'session.failed', data: { reason, message: 'No way.' } }
      expect(look(stateAfter(launched, end, failedFor, resumed), absent)).toEqual({ do: 'launch' })
    })
  })

  it('gives up after too many losses in a row, with the last reason', () => {
    const losses = Array.from({ length: timing.maxRestarts }, (_, i): NewEvent[] => [
      { type: 'generation.started', data: { generation: i + 1, runtime: 'fake' } },
      ended(i + 1),
    ]).flat()
    const step = look(stateAfter(...losses), absent)
    expect(step).toMatchObject({ do: 'fail', reason: 'crash-loop' })
    expect(JSON.stringify(step)).toContain('boom')
  })

  it('waits at once, then ever longer, up to a minute', () => {
    expect([0, 1, 2, 3, 4, 10].map(backoffMs)).toEqual([0, 1000, 2000, 4000, 8000, 60_000])
  })
})
