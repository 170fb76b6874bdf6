import { isBerthError, type SessionLimits, type SessionState } from '@berth/contract'
import { describe, expect, it } from 'vitest'
import type { Command } from './command.ts'
import { backendActor, type Decision, decide } from './decide.ts'
import * as at from './fixtures/situations.ts'
import { limitReached, limitsDueAt } from './limit-times.ts'

const start = Date.parse(at.at)
const minutes = (count: number) => start + count * 60_000
const noLimits: SessionLimits = { idleMinutes: 0, stopWhenDone: false }

const stateWith = (situation: at.Situation, limits: Partial<SessionLimits>): SessionState => {
  const state = at.stateIn(situation)
  if (state === undefined) throw new Error('no state')
  return { ...state, limits: { ...noLimits, ...limits } }
}

/** Decides at a time; facts are of that time too. */
const decideAt = (state: SessionState, command: Command, now: number): Decision => {
  const time = new Date(now).toISOString()
  const timed =
    command.kind === 'facts'
      ? { ...command, facts: command.facts.map((fact) => ({ ...fact, at: time })) }
      : command
  return decide(state, timed, { at: time, turn: at.turns[2] })
}

const enforce: Command = { kind: 'enforce', actor: backendActor }
const warn: Command = { kind: 'warn', actor: backendActor }
const reasons = ({ events }: Decision) =>
  events.flatMap((event) => (event.type === 'session.stop_requested' ? [event.data.reason] : []))

describe('idleness', () => {
  const limits = { idleMinutes: 10 }

  it('stops a session that rests for long enough, and no other', () => {
    const idle = stateWith('idle', limits)
    expect(limitsDueAt(idle)).toBe(minutes(10))
    expect(reasons(decideAt(idle, enforce, minutes(10) - 1))).toEqual([])
    expect(reasons(decideAt(idle, enforce, minutes(10)))).toEqual(['idle'])
    for (const situation of ['pending', 'starting', 'working', 'waiting', 'stopping', 'stopped'] as const)
      expect([situation, reasons(decideAt(stateWith(situation, limits), enforce, minutes(500)))]).toEqual([
        situation,
        [],
      ])
  })

  it('never comes when it is 0', () => {
    expect(limitsDueAt(stateWith('idle', { idleMinutes: 0 }))).toBe(Number.POSITIVE_INFINITY)
  })

  it('comes at a whole millisecond, however long it takes', () => {
    expect(limitsDueAt(stateWith('idle', { idleMinutes: 1.000_001 }))).toBe(minutes(1) + 1)
    expect(limitsDueAt(stateWith('idle', { idleMinutes: 5e-324 }))).toBe(start + 1)
  })

  it('counts from the last thing that happened, and leaves open operations alone', () => {
    const idle = stateWith('idle', limits)
    const worked = decideAt(idle, at.prompt(0), minutes(5)).state
    const turn = worked.summary.turn?.turn ?? ''
    const data = { turn, attempt: 1, result: 'success', message: '', durationMs: 1 } as const
    const ended = decideAt(
      worked,
      at.facts({ generation: 1, n: 3 }, { type: 'turn.ended', data }),
      minutes(8),
    ).state
    expect(limitsDueAt(ended)).toBe(minutes(18))
    expect(limitsDueAt({ ...ended, operations: ['op_1'] })).toBe(Number.POSITIVE_INFINITY)
  })

  it('begins anew when the session is resumed after a long time', () => {
    const stopped = decideAt(stateWith('idle', limits), enforce, minutes(10)).state
    const gone = decideAt(stopped, at.end(1), minutes(11)).state
    const resumed = decideAt(gone, at.resume, minutes(600)).state
    const launched = decideAt(resumed, at.launch, minutes(601)).state
    const facts = at.facts({ generation: 2, n: 1 }, at.started, at.ready)
    expect(limitsDueAt(decideAt(launched, facts, minutes(602)).state)).toBe(minutes(612))
  })
})

describe('a deadline', () => {
  const limits = { deadlineMinutes: 100 }

  it('is announced once, then stops the session, also in the middle of a turn', () => {
    const working = stateWith('working', limits)
    expect(limitsDueAt(working)).toBe(minutes(90))
    expect(decideAt(working, warn, minutes(90) - 1).events).toEqual([])
    const warned = decideAt(working, warn, minutes(90))
    expect(warned.events).toMatchObject([{ type: 'session.notice', data: { about: 'deadline' } }])
    expect(decideAt(warned.state, warn, minutes(91)).events).toEqual([])
    expect(limitsDueAt(warned.state)).toBe(minutes(100))
    expect(reasons(decideAt(warned.state, enforce, minutes(100) - 1))).toEqual([])
    const stopped = decideAt(warned.state, enforce, minutes(100))
    expect(reasons(stopped)).toEqual(['deadline'])
    expect(decideAt(stopped.state, at.end(1), minutes(101)).state.summary).toMatchObject({
      status: { phase: 'stopped', reason: 'deadline' },
      lastTurn: { result: 'interrupted', code: 'deadline', message: expect.stringContaining('deadline') },
    })
  })

  it('does not count the time that the session was stopped', () => {
    const stopped = decideAt(stateWith('working', limits), at.stop, minutes(30)).state
    const gone = decideAt(stopped, at.end(1), minutes(40)).state
    const resumed = decideAt(gone, at.resume, minutes(1000)).state
    const launched = decideAt(resumed, { ...at.launch, limits: gone.limits } as Command, minutes(1001)).state
    expect(limitReached(launched, minutes(1060))).toBeUndefined()
    expect(limitReached(launched, minutes(1061))).toBe('deadline')
  })

  it('keeps prompts until it is raised', () => {
    const stopped = decideAt(stateWith('idle', limits), enforce, minutes(100)).state
    const gone = decideAt(stopped, at.end(1), minutes(100)).state
    const asked = decideAt(gone, at.prompt(0), minutes(101))
    expect(asked.events.map(({ type }) => type)).toEqual(['prompt.queued'])
    expect(asked.state.summary).toMatchObject({ desired: 'stopped', blockedBy: 'deadline' })
    expect(refusal(() => decideAt(asked.state, at.resume, minutes(102)))).toBe('limit_reached')
    const raised = { ...at.resume, limits: { ...noLimits, deadlineMinutes: 200 } } as Command
    const resumed = decideAt(asked.state, raised, minutes(103)).state
    expect(resumed.summary).toMatchObject({ desired: 'running', status: { phase: 'pending' } })
    expect(resumed.summary.blockedBy).toBeUndefined()
  })

  it('is announced anew when it was raised', () => {
    const warned = decideAt(stateWith('working', limits), warn, minutes(95)).state
    const raise = {
      kind: 'limits',
      actor: backendActor,
      limits: { ...noLimits, deadlineMinutes: 200 },
    } as const
    expect(limitsDueAt(decideAt(warned, raise, minutes(96)).state)).toBe(minutes(190))
  })
})

describe('a number of turns', () => {
  it('stops the session when the last turn has ended, though a prompt waits', () => {
    const working = stateWith('working', { maxTurns: 1 })
    const queued = decideAt(working, at.prompt(1), start).state
    const ended = decideAt(queued, at.facts({ generation: 1, n: 3 }, at.endTurn(0)), start)
    expect(ended.events.map(({ type }) => type)).toEqual(['turn.ended', 'session.stop_requested'])
    expect(ended.state.summary).toMatchObject({ blockedBy: 'turns', status: { reason: 'turns' } })
    const gone = decideAt(ended.state, at.end(1), start).state
    expect(refusal(() => decideAt(gone, at.resume, start))).toBe('limit_reached')
  })

  it('starts no turn beyond it when it was lowered meanwhile', () => {
    const idle = at.run(at.stateIn('working'), at.facts({ generation: 1, n: 3 }, at.endTurn(0))).state
    const lowered = { ...idle, limits: { ...noLimits, maxTurns: 1 } }
    expect(decideAt(lowered, at.prompt(1), start).events.map(({ type }) => type)).toEqual([
      'prompt.queued',
      'session.stop_requested',
    ])
  })
})

describe('a session that stops when it is done', () => {
  it('ends with its last prompt, and a new one wakes it', () => {
    const working = stateWith('working', { stopWhenDone: true })
    const queued = decideAt(working, at.prompt(1), start).state
    const first = decideAt(queued, at.facts({ generation: 1, n: 3 }, at.endTurn(0)), start)
    expect(first.events.map(({ type }) => type)).toEqual(['turn.ended', 'turn.started'])
    const second = { ...first.state, summary: { ...first.state.summary, queue: [] } }
    const turn = second.summary.turn?.turn ?? ''
    const data = { turn, attempt: 1, result: 'success', message: '', durationMs: 1 } as const
    const done = decideAt(second, at.facts({ generation: 1, n: 4 }, { type: 'turn.ended', data }), start)
    expect(reasons(done)).toEqual(['completed'])
    const gone = decideAt(done.state, at.end(1), start).state
    expect(decideAt(gone, at.prompt(2), start).events.map(({ type }) => type)).toEqual([
      'prompt.queued',
      'session.resume_requested',
    ])
  })
})

describe('settings of a session', () => {
  it('are refused on another version, and change nothing when they are the same', () => {
    const set = { kind: 'set', actor: at.person, limits: noLimits } as const
    const idle = stateWith('idle', {})
    const old = { ...set, settings: { maxTurns: 3 }, expectedVersion: 7 }
    expect(refusal(() => decideAt(idle, old, start))).toBe('version_mismatch')
    expect(decideAt(idle, { ...set, settings: {}, expectedVersion: 1 }, start).events).toEqual([])
  })
})

const refusal = (attempt: () => unknown): string => {
  try {
    attempt()
    return 'done'
  } catch (error) {
    if (isBerthError(error)) return error.code
    throw error
  }
}
