import {
  type Event,
  emptyTranscript,
  eventSchema,
  foldSession,
  foldTranscript,
  isBerthError,
  isHold,
  mayAppend,
  parseEvent,
  type SessionState,
  sessionSummary,
} from '@berth/contract'
import { SessionLog, sessionRolls } from '@berth/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Command } from './command.ts'
import { type Decision, decide } from './decide.ts'
import { maxLosses } from './deciders/turn-flow.ts'

interface Step extends Decision {
  command: Command
  before: SessionState | undefined
}

/** Lives a session by random choices; refused commands change nothing. */
const live = (rolls: Parameters<SessionLog['next']>[1][]): Step[] => {
  const log = new SessionLog({ project: 'p', seed: 1, now: Date.UTC(2030, 0, 1) })
  const steps: Step[] = []
  let state: SessionState | undefined
  for (const roll of rolls) {
    const { command, now, turn } = log.next(state, roll)
    try {
      const decision = decide(state, command, { at: new Date(now).toISOString(), turn })
      steps.push({ ...decision, command, before: state })
      state = decision.state
    } catch (error) {
      if (!isBerthError(error)) throw error
    }
  }
  return steps
}

const eventsOf = (steps: Step[]): Event[] => steps.flatMap(({ events }) => events)

const each = (check: (steps: Step[]) => void, parameters: { seed?: number } = {}) =>
  fc.assert(
    fc.property(sessionRolls(120), (rolls) => check(live(rolls))),
    { numRuns: 150, ...parameters },
  )

describe('random lives of a session', () => {
  it('reach every phase and every kind of command, so that these properties say something', () => {
    const phases = new Set<string>()
    const kinds = new Set<string>()
    const note = (steps: Step[]) => {
      for (const { state, command } of steps) {
        phases.add(state.summary.status.phase)
        kinds.add(command.kind)
      }
    }
    each(note, { seed: 1 })
    expect([...phases].sort()).toEqual([
      ...['failed', 'idle', 'pending', 'starting', 'stopped', 'stopping', 'waiting', 'working'],
    ])
    expect(kinds.size).toBeGreaterThan(14)
  })

  it('number events without a gap', () => {
    each((steps) => {
      const events = eventsOf(steps)
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    })
  })

  it('give the state that the fold of all events gives, also read back from JSON', () => {
    each((steps) => {
      let state: SessionState | undefined
      for (const event of eventsOf(steps))
        state = foldSession(state, parseEvent(JSON.parse(JSON.stringify(event))))
      expect(state).toEqual(steps.at(-1)?.state)
    })
  })

  it('append only events that fit their schema, by authors who may', () => {
    each((steps) => {
      for (const { type, data, actor } of eventsOf(steps)) {
        expect(eventSchema(type).safeParse(data).error).toBeUndefined()
        const author = actor.kind === 'runner' ? 'runner' : actor.kind === 'backend' ? 'backend' : 'people'
        expect(mayAppend(author, type)).toBe(true)
      }
    })
  })

  it('give summaries that fit their schema', () => {
    each((steps) => {
      for (const { state } of steps) expect(sessionSummary.safeParse(state.summary).error).toBeUndefined()
    })
  })

  it('start each prompt once, in the order of the queue, and try a turn at most twice besides its pauses', () => {
    each((steps) => {
      const started = eventsOf(steps).filter((event) => event.type === 'turn.started')
      const first = started.filter(({ data }) => data.attempt === 1)
      expect(new Set(first.map(({ data }) => data.prompt)).size).toBe(first.length)
      expect(new Set(first.map(({ data }) => data.turn)).size).toBe(first.length)
      const places = first.map(({ data }) => data.promptSeq)
      expect(places).toEqual([...places].sort((a, b) => a - b))
      const paused = eventsOf(steps).flatMap((event) =>
        event.type === 'turn.paused' ? [event.data.turn] : [],
      )
      for (const { data } of started) {
        const pauses = paused.filter((turn) => turn === data.turn).length
        expect(data.attempt).toBeLessThanOrEqual(maxLosses + 1 + pauses)
      }
    })
  })

  it('pause a turn only while it runs, and never leave a pause behind', () => {
    each((steps) => {
      for (const { state } of steps) {
        const { turn, desired, status } = state.summary
        if (turn?.paused === undefined) continue
        const held = status.phase === 'stopping' || status.phase === 'stopped'
        // Until somebody resumes it; then until the turn goes on, or fails.
        if (desired === 'stopped') expect(held ? status.reason : status.phase).toMatch(/budget|failed/)
        else expect(state.summary.status.phase).not.toBe('working')
      }
      const events = eventsOf(steps)
      const open = new Set<string>()
      for (const event of events) {
        if (event.type === 'turn.started') open.add(event.data.turn)
        if (event.type === 'turn.ended') open.delete(event.data.turn)
        if (event.type === 'turn.paused') expect(open).toContain(event.data.turn)
      }
    })
  })

  it('go on with the paused turn, and begin no other before', () => {
    each((steps) => {
      let paused: string | undefined
      for (const event of eventsOf(steps)) {
        if (event.type === 'turn.paused') paused = event.data.turn
        if (event.type === 'turn.ended' && event.data.turn === paused) paused = undefined
        // Somebody gave it up: if they resume before the runner has gone, it goes on as after any loss.
        if (event.type === 'session.stop_requested' && !isHold(event.data.reason)) paused = undefined
        if (event.type !== 'turn.started' || paused === undefined) continue
        expect(event.data).toMatchObject({ turn: paused, paused: 'budget' })
        paused = undefined
      }
    })
  })

  it('say each word about a budget once per limit, and count what was metered', () => {
    each((steps) => {
      let usd = 0
      for (const { events, state, before } of steps) {
        for (const event of events) {
          if (event.type === 'model.usage') usd += event.data.costUsd ?? 0
          if (event.type !== 'budget.reached') continue
          const { scope, unit, limit, spent } = event.data
          const told = before?.spending.told.find((item) => item.scope === scope && item.unit === unit)
          if (told?.limit === limit && scope === 'session') expect([told.spent, spent]).toEqual([false, true])
        }
        expect(state.spending.usd).toBeCloseTo(usd, 6)
      }
    })
  })

  it('start a turn only on a runner that is ready and wanted, when no other runs', () => {
    each((steps) => {
      let state: SessionState | undefined
      for (const event of eventsOf(steps)) {
        if (event.type === 'turn.started') {
          expect(state).toMatchObject({ live: true, ready: true })
          expect(state?.summary).toMatchObject({ desired: 'running', status: { phase: 'idle' } })
          const { turn } = state?.summary ?? {}
          if (turn !== undefined)
            expect(event.data).toMatchObject({ turn: turn.turn, attempt: turn.attempt + 1 })
        }
        state = foldSession(state, event)
      }
    })
  })

  it('never start a prompt that was withdrawn, and lose none', () => {
    each((steps) => {
      const events = eventsOf(steps)
      const of = (type: 'prompt.queued' | 'prompt.withdrawn' | 'turn.started') =>
        new Set(
          events.flatMap((event) => (event.type === type ? [(event.data as { prompt: string }).prompt] : [])),
        )
      const started = of('turn.started')
      const withdrawn = of('prompt.withdrawn')
      expect([...withdrawn].filter((prompt) => started.has(prompt))).toEqual([])
      const waiting = steps.at(-1)?.state.summary.queue.map(({ prompt }) => prompt) ?? []
      expect(new Set([...started, ...withdrawn, ...waiting])).toEqual(of('prompt.queued'))
    })
  })

  it('leave nothing open when a generation ends', () => {
    each((steps) => {
      for (const { events, state } of steps)
        if (events.some(({ type }) => type === 'generation.ended')) {
          expect(state.openBlocks).toEqual([])
          expect(state.summary.requests).toEqual([])
          expect(state).toMatchObject({ live: false, connected: false, ready: false })
        }
    })
  })

  it('let facts of the generation before change nothing about the runner of now', () => {
    each((steps) => {
      for (const { command, before, state } of steps)
        if (command.kind === 'facts' && command.source !== command.generation) {
          const { live, connected, ready, n } = before ?? state
          expect(state).toMatchObject({ live, connected, ready, n })
        }
    })
  })

  it('store every fact once: the same batch again appends nothing', () => {
    each((steps) => {
      for (const { command, state } of steps)
        if (command.kind === 'facts' && state.live && state.summary.generation === command.generation)
          expect(decide(state, command, { at: state.summary.updatedAt, turn: 'trn_x' }).events).toEqual([])
    })
  })

  it('keep phase and runner together: no runner without a live phase, unless it failed or is on its way out', () => {
    each((steps) => {
      for (const { state } of steps) {
        const { phase } = state.summary.status
        if (!state.live) expect(['pending', 'stopped', 'failed']).toContain(phase)
        if (phase === 'waiting') expect(state.summary.requests).not.toEqual([])
        if (phase === 'working' || phase === 'waiting') expect(state.summary.turn).toBeDefined()
        if (phase === 'idle') expect(state.summary.turn).toBeUndefined()
      }
    })
  })

  it('fold to the same transcript with and without the deltas of completed blocks', () => {
    each((steps) => {
      const events = eventsOf(steps)
      const completed = new Set(
        events.flatMap((event) => (event.type === 'block.completed' ? [event.data.block] : [])),
      )
      const whole = emptyTranscript()
      const compacted = emptyTranscript()
      for (const event of events) {
        foldTranscript(whole, event)
        if (event.type !== 'block.delta' || !completed.has(event.data.block)) foldTranscript(compacted, event)
      }
      expect(compacted).toEqual(whole)
    })
  })
})
