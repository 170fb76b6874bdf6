import { describe, expect, it } from 'vitest'
import type { Event, EventData, EventType } from '../events/event.ts'
import { foldSession } from './fold.ts'
import type { SessionState } from './state.ts'

const session = 'ses_01k11111111111111111111111'
const turn = 'trn_01k11111111111111111111111'
const prompt = 'prm_01k11111111111111111111111'
const request = 'req_01k11111111111111111111111'

type Entry = { [T in EventType]: [T, EventData<T>, { generation: number; n: number }?] }[EventType]

/** The state after these events, each a second after the one before. */
const fold = (...entries: Entry[]): SessionState => {
  let state: SessionState | undefined
  for (const [index, [type, data, fact]] of entries.entries()) {
    const at = new Date(Date.UTC(2030, 0, 1, 0, 0, index)).toISOString()
    const actor = { kind: 'user', id: 'ada' }
    state = foldSession(state, { seq: index + 1, at, version: 1, actor, type, data, ...fact } as Event)
  }
  if (state === undefined) throw new Error('no events')
  return state
}

const created: Entry = [
  'session.created',
  {
    session,
    project: 'p',
    title: 'Title',
    labels: { a: 'b' },
    repositories: [{ url: 'https://host/x/app.git' }],
    settings: { model: 'm' },
    model: 'live',
  },
]
const started: Entry = ['generation.started', { generation: 1, runtime: 'fake' }]
const ready: Entry = ['agent.ready', { conversation: 'c' }, { generation: 1, n: 1 }]
const queued: Entry = ['prompt.queued', { prompt, content: [{ type: 'text', text: ' Do\n it ' }] }]
const turnStarted: Entry = ['turn.started', { turn, prompt, promptSeq: 4, attempt: 1 }]
const working = [created, started, ready, queued, turnStarted]
const asked: Entry = [
  'permission.requested',
  { request, turn, tool: 'Bash', input: {}, detail: 'ls', because: 'default' },
]

it('begins with session.created only', () => {
  expect(() => fold(started)).toThrow(/begins with session.created/)
  expect(fold(created).summary).toMatchObject({
    id: session,
    owner: { id: 'ada' },
    status: { phase: 'pending', reason: 'queued' },
    repositories: [{ name: 'app' }],
    model: 'm',
    modelSource: 'live',
    seq: 1,
    version: 1,
  })
})

it('keeps only the place of an event that it does not know', () => {
  const before = fold(...working)
  const unknown = { ...before.summary, seq: 99, at: before.summary.updatedAt, version: 2 }
  const event = {
    ...unknown,
    actor: before.summary.owner,
    type: 'unknown',
    originalType: 'x',
    data: 1,
  } as const
  expect(foldSession(before, event)).toEqual({ ...before, summary: { ...before.summary, seq: 99 } })
})

it('changes nothing in place', () => {
  const before = fold(...working)
  const copy = structuredClone(before)
  const event = { seq: 6, at: before.summary.updatedAt, version: 1, actor: before.summary.owner }
  foldSession(before, { ...event, type: 'session.stop_requested', data: { reason: 'user' } })
  expect(before).toEqual(copy)
})

describe('phases', () => {
  it.each<[string, Entry[], object]>([
    ['a start', [created, started], { phase: 'starting' }],
    ['a ready agent', [created, started, ready], { phase: 'idle' }],
    ['a turn', working, { phase: 'working' }],
    ['a request', [...working, asked], { phase: 'waiting' }],
    [
      'an answer',
      [
        ...working,
        asked,
        ['permission.decided', { request, decision: { behavior: 'allow', scope: 'once' } }],
      ],
      { phase: 'working' },
    ],
    [
      'a stop',
      [...working, ['session.stop_requested', { reason: 'budget' }]],
      { phase: 'stopping', reason: 'budget' },
    ],
    [
      'a stop without a runner',
      [created, ['session.stop_requested', { reason: 'idle' }]],
      { phase: 'stopped', reason: 'idle' },
    ],
    [
      'the end after a stop',
      [
        ...working,
        ['session.stop_requested', { reason: 'idle' }],
        ['generation.ended', { generation: 1, reason: 'exited', message: 'm' }],
      ],
      { phase: 'stopped', reason: 'idle' },
    ],
    [
      'a crash',
      [
        ...working,
        [
          'generation.ended',
          { generation: 1, reason: 'crashed', message: 'm', retryAt: '2031-01-01T00:00:00Z' },
        ],
      ],
      { phase: 'pending', reason: 'backoff', message: 'm', retryAt: '2031-01-01T00:00:00Z' },
    ],
    [
      'a deletion',
      [created, ['session.deleted', { purgeAt: '2031-01-01T00:00:00Z' }]],
      { phase: 'stopped', reason: 'deleted' },
    ],
    [
      'a failed start',
      [created, started, ['start.failed', { reason: 'clone', message: 'No.' }, { generation: 1, n: 1 }]],
      { phase: 'failed', reason: 'clone', message: 'No.' },
    ],
    [
      'a failed start of another generation',
      [created, started, ['start.failed', { reason: 'clone', message: 'No.' }, { generation: 2, n: 1 }]],
      { phase: 'starting' },
    ],
  ])('after %s', (_, entries, status) => {
    expect(fold(...entries).summary.status).toMatchObject(status)
  })
})

describe('the summary', () => {
  it('shows the turn, its prompt in short, and what is going on', () => {
    const { summary } = fold(...working)
    expect(summary.turn).toMatchObject({ turn, prompt, preview: 'Do it', attempt: 1 })
    expect(summary).toMatchObject({ queue: [], turns: 1, activity: 'Working' })
    expect(fold(...working, ['agent.status', { status: 'Reading' }]).summary.activity).toBe('Reading')
    expect(fold(...working, asked).summary.activity).toBe('Needs an answer: Bash ls')
  })

  it('adds usage up, and does not know the cost once a price is missing', () => {
    const usage = (costUsd: number | null): Entry => [
      'model.usage',
      {
        model: 'm',
        inputTokens: 1,
        outputTokens: 2,
        cacheReadTokens: 3,
        cacheWriteTokens: 4,
        costUsd,
        durationMs: 1,
        partial: false,
      },
    ]
    expect(fold(created, usage(0.5), usage(0.25)).summary.usage).toEqual({
      requests: 2,
      inputTokens: 2,
      outputTokens: 4,
      cacheReadTokens: 6,
      cacheWriteTokens: 8,
      costUsd: 0.75,
    })
    expect(fold(created, usage(null), usage(0.25)).summary.usage.costUsd).toBeNull()
  })

  it('adds the differences of its repositories up, as the last snapshot of each says', () => {
    const total = { files: 1, insertions: 2, deletions: 3 }
    const snapshot = {
      name: 'app',
      commit: 'a'.repeat(40),
      commits: 0,
      total,
      turn: total,
      files: [],
      patch: { text: '' },
      turnPatch: { text: '' },
    }
    const { summary } = fold(...working, ['workspace.snapshot', { turn, repositories: [snapshot] }])
    expect(summary).toMatchObject({ diff: total, repositories: [{ name: 'app', diff: total }] })
  })

  it('does not move its time for what lists do not show', () => {
    const block = 'blk_01k11111111111111111111111'
    const before = fold(...working).summary
    const after = fold(...working, ['block.started', { kind: 'text', turn, block }]).summary
    expect(after).toEqual({ ...before, seq: before.seq + 1 })
  })

  it('counts lost runners until a turn ends, but not those that should go', () => {
    const lost: Entry = ['generation.ended', { generation: 1, reason: 'crashed', message: 'm' }]
    const ended: Entry = ['turn.ended', { turn, attempt: 1, result: 'success', message: 'm', durationMs: 1 }]
    expect(fold(...working, lost).summary.restarts).toBe(1)
    expect(fold(...working, lost, ended).summary.restarts).toBe(0)
    expect(fold(...working, ['session.stop_requested', { reason: 'user' }], lost).summary.restarts).toBe(0)
  })

  it('ignores the end of another turn or attempt', () => {
    for (const data of [
      { turn: 'trn_01k22222222222222222222222', attempt: 1 },
      { turn, attempt: 2 },
    ])
      expect(
        fold(...working, ['turn.ended', { ...data, result: 'success', message: 'm', durationMs: 1 }]).summary
          .turn,
      ).toMatchObject({ turn })
  })
})

describe('places of facts', () => {
  it('are kept for this generation and the one before', () => {
    const state = fold(
      created,
      started,
      ['agent.status', { status: 's' }, { generation: 1, n: 1 }],
      ['agent.status', { status: 's' }, { generation: 1, n: 2 }],
      ['generation.ended', { generation: 1, reason: 'crashed', message: 'm' }],
      ['generation.started', { generation: 2, runtime: 'fake' }],
      ['runner.started', { version: '1', sandbox: 'none' }, { generation: 1, n: 3 }],
    )
    expect(state).toMatchObject({ n: 0, previous: { generation: 1, n: 3 }, connected: false })
  })
})
