import { describe, expect, it } from 'vitest'
import {
  lifecycle,
  livePhases,
  nextPhase,
  type Phase,
  phase,
  type Signal,
  sessionStatus,
} from './lifecycle.ts'

const phases = phase.options
const signals = Object.keys(lifecycle.pending) as Signal[]

describe('the table of the life cycle', () => {
  it('answers every signal in every phase', () => {
    expect(Object.keys(lifecycle).sort()).toEqual([...phases].sort())
    for (const from of phases) {
      expect(Object.keys(lifecycle[from]).sort()).toEqual([...signals].sort())
      for (const signal of signals) expect(phases).toContain(nextPhase(from, signal))
    }
  })

  it('reaches every phase from the first, and the first from every phase', () => {
    const reach = (from: Phase) => {
      const seen = new Set<Phase>([from])
      for (const at of seen) for (const signal of signals) seen.add(nextPhase(at, signal))
      return seen
    }
    for (const from of phases) expect(reach(from)).toEqual(new Set(phases))
  })

  it('starts a runner only from pending, and ends every live phase when it is gone', () => {
    expect(phases.filter((from) => lifecycle[from].launch === 'starting')).toEqual(['pending'])
    for (const from of livePhases) {
      expect(nextPhase(from, 'exit')).toBe('stopped')
      expect(nextPhase(from, 'lost')).toBe('pending')
    }
  })

  it('can stop and fail from everywhere, and goes back only by a resume', () => {
    for (const from of phases) {
      expect(['stopping', 'stopped']).toContain(nextPhase(from, 'stop'))
      expect(nextPhase(from, 'fail')).toBe('failed')
    }
    for (const from of ['stopped', 'failed'] as const)
      for (const signal of signals.filter((one) => !['resume', 'fail', 'stop'].includes(one)))
        expect(nextPhase(from, signal)).toBe(from)
  })
})

const since = '2030-01-01T00:00:00.000Z'

it.each([
  [{ phase: 'stopped', since, reason: 'user' }, true],
  [{ phase: 'stopped', since }, false],
  [{ phase: 'stopped', since, reason: 'bored' }, false],
  [{ phase: 'failed', since, reason: 'clone', message: 'No.' }, true],
  [{ phase: 'failed', since, reason: 'clone' }, false],
  [{ phase: 'pending', since }, false],
  [{ phase: 'idle', since }, true],
  [{ phase: 'gone', since }, false],
])('the status %j parses: %s', (status, ok) => {
  expect(sessionStatus.safeParse(status).success).toBe(ok)
})
