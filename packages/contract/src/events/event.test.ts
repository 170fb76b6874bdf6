import { describe, expect, it } from 'vitest'
import { type Author, authorOf } from '../actor.ts'
import { type AnyEvent, eventTypes, fact, mayAppend, parseEvent } from './event.ts'
import { runnerEvents } from './runner.ts'
import { backendEvents, peopleEvents } from './session.ts'

const envelope = {
  seq: 1,
  at: '2030-01-01T00:00:00.000Z',
  version: 1,
  actor: { kind: 'runner', id: 'r' },
} as const

describe('parseEvent', () => {
  it('reads a known event', () => {
    const data = { level: 'info', message: 'm' }
    const event = { ...envelope, generation: 1, n: 2, type: 'runner.notice', data }
    expect(parseEvent(event)).toEqual(event)
  })

  it.each([
    ['an unknown type', { type: 'future.thing', data: { x: [1] }, version: 9 }],
    ['a type that is a name of Object', { type: 'constructor', data: null }],
    ['a known type in a shape of the future', { type: 'runner.notice', data: { level: 'loud' } }],
  ])('keeps %s as it is', (_, { type, data, ...rest }) => {
    const { type: _type, ...parsed } = parseEvent({ ...envelope, ...rest, type, data })
    expect(parsed).toEqual({ ...envelope, ...rest, originalType: type, data })
  })

  it.each([{}, { ...envelope, seq: 0, type: 'x' }, { ...envelope, type: 'x', at: 'today' }, null])(
    'refuses what is no event: %j',
    (value) => {
      expect(() => parseEvent(value)).toThrow()
    },
  )

  it('gives unknown events a type that no event has', () => {
    expect(eventTypes as AnyEvent['type'][]).not.toContain('unknown')
  })
})

describe('who may append what', () => {
  const authors: Author[] = ['people', 'runner', 'backend']
  const shared = [
    'turn.ended',
    'block.aborted',
    'session.stop_requested',
    'session.resume_requested',
    'prompt.queued',
  ]

  it('has a home for each type, and the backend stands in for a few', () => {
    for (const type of eventTypes) {
      const home = type in peopleEvents ? 'people' : type in runnerEvents ? 'runner' : 'backend'
      const expected = authors.filter(
        (author) => author === home || (author === 'backend' && shared.includes(type)),
      )
      expect([type, authors.filter((author) => mayAppend(author, type))]).toEqual([type, expected])
    }
    const all = [peopleEvents, runnerEvents, backendEvents].flatMap((group) => Object.keys(group))
    expect(new Set(all).size).toBe(all.length)
  })

  it('lets nobody append what is not known', () => {
    for (const author of authors)
      for (const type of ['', 'unknown', 'toString', '__proto__', 'constructor'])
        expect(mayAppend(author, type)).toBe(false)
  })

  it.each([
    ['user', 'people'],
    ['key', 'people'],
    ['service', 'people'],
    ['scheduler', 'people'],
    ['runner', 'runner'],
    ['backend', 'backend'],
  ] as const)('counts %s among %s', (kind, author) => {
    expect(authorOf(kind)).toBe(author)
  })
})

describe('facts', () => {
  const good = { n: 1, at: envelope.at, type: 'agent.status', data: { status: 's' } }

  it('are what a runner sees', () => {
    expect(fact.safeParse(good).success).toBe(true)
  })

  it.each([
    [{ ...good, n: 0 }, ['n']],
    [{ ...good, at: '2030-01-01' }, ['at']],
    [{ ...good, type: 'permission.decided' }, ['type']],
    [{ ...good, type: 'turn.started' }, ['type']],
    [{ ...good, type: 'hasOwnProperty' }, ['type']],
    [{ ...good, data: {} }, ['data', 'status']],
    [{ ...good, data: { status: 'x'.repeat(201) } }, ['data', 'status']],
  ])('are refused with the place of the fault: %j', (value, path) => {
    expect(fact.safeParse(value).error?.issues.map((issue) => issue.path)).toEqual([path])
  })
})
